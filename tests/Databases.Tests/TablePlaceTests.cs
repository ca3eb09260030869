using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Outbox;

namespace Platform.Databases.Tests;

public sealed class TablePlaceTests
{
    [Theory]
    [InlineData("Jobs_")]
    [InlineData("1_")]
    [InlineData("a-b")]
    [InlineData("a;b")]
    [InlineData("a_prefix_of_21_chars_")]
    public void A_prefix_that_a_database_would_not_take_is_refused(string prefix)
    {
        var model = new ModelBuilder();

        Should.Throw<ArgumentException>(() => model.AddHeavyTasks(tablePrefix: prefix)).Message.ShouldContain(prefix);
        Should.Throw<ArgumentException>(() => model.AddOutbox(tablePrefix: prefix)).ParamName.ShouldBe("tablePrefix");
    }

    [Fact]
    public void A_schema_is_refused_where_the_database_has_none()
    {
        Assert.SkipWhen(Dialect.Current.HasSchemas, "This database has schemas.");

        Should.Throw<ArgumentException>(() => new ModelBuilder().AddHeavyTasks(schema: "jobs")).Message.ShouldContain("tablePrefix");
        Should.Throw<ArgumentException>(() => new ModelBuilder().AddOutbox(schema: "jobs")).Message.ShouldContain("tablePrefix");
    }

    [Fact]
    public void Names_with_the_longest_prefix_are_ones_that_both_databases_take()
    {
        var options = new DbContextOptionsBuilder<LongPrefixDbContext>();
        Dialect.Current.Configure(options, "Server=localhost");
        using var db = new LongPrefixDbContext(options.Options);

        var names = db
            .Model.GetEntityTypes()
            .SelectMany(e =>
                e.GetIndexes().Select(i => i.GetDatabaseName()).Concat(e.GetKeys().Select(k => k.GetName())).Append(e.GetTableName())
            );

        names.ShouldAllBe(name => name!.Length <= 63 && name.Contains("a_prefix_of_20_char_"));
    }

    private sealed class LongPrefixDbContext(DbContextOptions<LongPrefixDbContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) =>
            modelBuilder.AddHeavyTasks(tablePrefix: "a_prefix_of_20_char_").AddOutbox(tablePrefix: "a_prefix_of_20_char_");
    }
}
