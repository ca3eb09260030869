namespace Platform.HeavyTasks.Analyzers.Tests;

public sealed class HoldsConnectionTests
{
    [Theory]
    [InlineData("await using var transaction = await db.Database.BeginTransactionAsync(); {|PLT002:await Task.Delay(1)|};")]
    [InlineData(
        "await using var transaction = await db.Database.BeginTransactionAsync(); if (id > 0) { {|PLT002:await http.GetStringAsync(\"/\")|}; }"
    )]
    [InlineData(
        "await using var transaction = await db.Database.BeginTransactionAsync(); {|PLT002:await http.GetStringAsync(\"/\").ConfigureAwait(false)|};"
    )]
    [InlineData(
        "using (var transaction = db.Database.BeginTransaction()) { {|PLT002:await File.ReadAllTextAsync(\"f\")|}; transaction.Commit(); }"
    )]
    [InlineData("await foreach (var order in db.Orders.AsAsyncEnumerable()) { {|PLT002:await http.GetStringAsync($\"/{order.Id}\")|}; }")]
    [InlineData("await foreach (var order in db.Orders) { {|PLT002:await http.GetStringAsync($\"/{order.Id}\")|}; }")]
    [InlineData(
        "await using var reader = await db.Database.GetDbConnection().CreateCommand().ExecuteReaderAsync(); {|PLT002:await Task.Delay(1)|};"
    )]
    public Task Wait_for_something_else_while_a_connection_is_held_is_reported(string statements) =>
        AnalyzerTest.VerifyEndpointAsync<HoldsConnectionAnalyzer>(statements);

    [Theory]
    [InlineData(
        "await Task.Delay(1); await using var transaction = await db.Database.BeginTransactionAsync(); await transaction.CommitAsync();"
    )]
    [InlineData(
        "await using var transaction = await db.Database.BeginTransactionAsync(); await transaction.CommitAsync(); await Task.Delay(1);"
    )]
    [InlineData("using (var transaction = db.Database.BeginTransaction()) { transaction.Commit(); } await http.GetStringAsync(\"/\");")]
    [InlineData("await using var transaction = await db.Database.BeginTransactionAsync(); await db.SaveChangesAsync();")]
    [InlineData(
        "await using var transaction = await db.Database.BeginTransactionAsync(); Func<Task> later = async () => await Task.Delay(1);"
    )]
    [InlineData("foreach (var order in await db.Orders.ToListAsync()) { await http.GetStringAsync($\"/{order.Id}\"); }")]
    public Task Wait_before_or_after_is_not(string statements) => AnalyzerTest.VerifyEndpointAsync<HoldsConnectionAnalyzer>(statements);
}
