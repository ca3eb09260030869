using System.Net.Http.Headers;
using Platform.ServiceDefaults;
using Platform.Support;

namespace Platform.Api.Tests;

/// <summary>How the service starts, or refuses to.</summary>
public sealed class StartTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Service_without_a_connection_string_says_which_setting_is_missing()
    {
        await using var process = ServiceProcess.Start(
            "services/Api",
            ApiProcess.Environment(connectionString: null, "http://127.0.0.1:0")
        );

        (await process.WaitForExitAsync(Patience)).ShouldNotBe(0);
        process.Output.ShouldContain("ConnectionStrings:Platform is not set");
        process.Output.ShouldContain("ConnectionStrings__Platform");
    }

    [Fact]
    public async Task Service_without_a_broker_address_says_which_setting_is_missing()
    {
        await using var database = await TestDatabase.CreateAsync();
        var environment = ApiProcess.Environment(database.ConnectionString, "http://127.0.0.1:0");
        environment["RabbitMq__Uri"] = null;
        await using var process = ServiceProcess.Start("services/Api", environment);

        (await process.WaitForExitAsync(Patience)).ShouldNotBe(0);
        process.Output.ShouldContain("RabbitMq:Uri is not set");
    }

    [Theory]
    [InlineData("HeavyTasks:DefaultMaxFailures", "0")]
    [InlineData("HeavyTasks:DefaultMaxFailures", "101")]
    [InlineData("Files:MaxLength", "0")]
    [InlineData("Files:MaxLength", "1099511627777")]
    public async Task Setting_out_of_range_stops_the_start(string key, string value)
    {
        await using var database = await TestDatabase.CreateAsync();
        var environment = ApiProcess.Environment(database.ConnectionString, "http://127.0.0.1:0");
        environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        await using var process = ServiceProcess.Start("services/Api", environment);

        (await process.WaitForExitAsync(Patience)).ShouldNotBe(0);
        process.Output.ShouldContain("OptionsValidationException");
        process.Output.ShouldContain(key.Split(':')[1]);
        process.Output.ShouldNotContain("Now listening");
    }

    [Fact]
    public async Task Health_command_asks_the_service_that_runs_with_the_same_settings()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var api = await ApiProcess.StartAsync(database.ConnectionString);
        var address = api.Client.BaseAddress!.ToString().Replace("127.0.0.1", "+", StringComparison.Ordinal);
        await using var running = ServiceProcess.Start(
            "services/Api",
            ApiProcess.Environment(database.ConnectionString, address),
            "health"
        );
        (await running.WaitForExitAsync(Patience)).ShouldBe(0, running.Output);

        await using var absent = ServiceProcess.Start(
            "services/Api",
            ApiProcess.Environment(database.ConnectionString, "http://+:1"),
            "health"
        );
        (await absent.WaitForExitAsync(Patience)).ShouldBe(1);
        absent.Output.ShouldContain("http://127.0.0.1:1 does not answer");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Service_refuses_a_database_that_lacks_migrations_and_names_the_command_that_applies_them(bool isEmpty)
    {
        await using var database = await TestDatabase.CreateAsync();
        await (isEmpty ? database.EmptyAsync() : database.ForgetMigrationsAsync());
        await using var process = ServiceProcess.Start(
            "services/Api",
            ApiProcess.Environment(database.ConnectionString, "http://127.0.0.1:0")
        );

        (await process.WaitForExitAsync(Patience)).ShouldNotBe(0);
        process.Output.ShouldContain("The database lacks");
        process.Output.ShouldContain("dotnet Platform.Api.dll migrate");
        process.Output.ShouldNotContain("Now listening");
    }

    [Fact]
    public async Task Service_accepts_a_database_that_is_ahead_of_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.AddUnknownMigrationAsync();

        await using var api = await ApiProcess.StartAsync(database.ConnectionString);

        await api.Client.SubmitTaskAsync();
    }

    [Fact]
    public async Task Migrate_makes_an_empty_database_usable_and_can_be_repeated()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.EmptyAsync();

        await using var first = ServiceProcess.Start(
            "services/Api",
            ApiProcess.Environment(database.ConnectionString, urls: null),
            "migrate"
        );
        (await first.WaitForExitAsync(Patience)).ShouldBe(0, first.Output);
        first.Output.ShouldContain("Initial");
        await using var second = ServiceProcess.Start(
            "services/Api",
            ApiProcess.Environment(database.ConnectionString, urls: null),
            "migrate"
        );
        (await second.WaitForExitAsync(Patience)).ShouldBe(0, second.Output);
        second.Output.ShouldContain("up to date");

        await using var createKey = ServiceProcess.Start(
            "services/Api",
            ApiProcess.Environment(database.ConnectionString, urls: null),
            "create-key",
            "first",
            "submit,read"
        );
        (await createKey.WaitForExitAsync(Patience)).ShouldBe(0, createKey.Output);
        await using var api = await ApiProcess.StartAsync(database.ConnectionString);
        api.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", createKey.Output.Trim());
        await api.Client.SubmitTaskAsync();
    }

    [Theory]
    [InlineData("Usage", "create-key")]
    [InlineData("Usage", "create-key", "name")]
    [InlineData("root", "create-key", "name", "read,root")]
    [InlineData("characters", "create-key", " ", "read")]
    [InlineData("tenant", "create-key", "name", "admin", "tenant")]
    [InlineData("tenant", "create-key", "name", "read", "")]
    public async Task Create_key_refuses_what_makes_no_key(string said, params string[] arguments)
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var process = ServiceProcess.Start(
            "services/Api",
            ApiProcess.Environment(database.ConnectionString, urls: null),
            arguments
        );

        (await process.WaitForExitAsync(Patience)).ShouldBe(2);
        process.Output.ShouldContain(said);
        (await database.CountAsync("api_keys")).ShouldBe(1);
    }

    [Fact]
    public async Task Two_migrations_at_once_both_succeed()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.EmptyAsync();
        await using var one = ServiceProcess.Start(
            "services/Api",
            ApiProcess.Environment(database.ConnectionString, urls: null),
            "migrate"
        );
        await using var other = ServiceProcess.Start(
            "services/Api",
            ApiProcess.Environment(database.ConnectionString, urls: null),
            "migrate"
        );

        (await one.WaitForExitAsync(Patience)).ShouldBe(0, one.Output);
        (await other.WaitForExitAsync(Patience)).ShouldBe(0, other.Output);
    }

    // Each migration has its own transaction. Between two of them, another process could otherwise apply the next migration.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Migrations_of_many_processes_wait_for_each_other(bool databaseExists)
    {
        await using var database = await TestDatabase.CreateAsync();
        await (databaseExists ? database.EmptyAsync() : database.DropAsync());

        var applied = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(_ => Task.Run(() => DatabaseMigration.MigrateAsync(database.ConnectionString)))
        );

        applied.Count(names => names.Count > 0).ShouldBe(1);
    }

    // The service names the address in its error, even if another process has the port.
    [Fact]
    public async Task Service_listens_on_loopback_unless_told_otherwise()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var process = ServiceProcess.Start("services/Api", ApiProcess.Environment(database.ConnectionString, urls: null));

        await process.WaitForOutputAsync("http://127.0.0.1:5080", Patience);
        process.Output.ShouldNotContain("http://[::]");
        process.Output.ShouldNotContain("0.0.0.0");
    }

    [Fact]
    public async Task Connections_carry_the_name_of_the_service()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var api = await ApiProcess.StartAsync(database.ConnectionString);
        await api.Client.SubmitTaskAsync();

        (await database.ConnectionNamesAsync()).ShouldBe("platform-api");
    }
}
