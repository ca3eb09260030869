using System.Data.Common;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>A database and a broker that take TLS only, each with a certificate for "localhost", and who may be taken for them.</summary>
public sealed class EncryptedServers : IAsyncLifetime
{
    private readonly TestAuthority authority = new();
    private readonly TestAuthority other = new();
    private readonly string folder = Directory.CreateTempSubdirectory("platform-tls-").FullName;

    public PrivateDatabase Database { get; private set; } = null!;

    public PrivateBroker Broker { get; private set; } = null!;

    /// <summary>A file with the certificate of the authority that signed the servers'.</summary>
    public string Authorities => Path.Combine(folder, "authorities.pem");

    /// <summary>A file with the certificate of another one.</summary>
    public string OtherAuthorities => Path.Combine(folder, "others.pem");

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(Authorities, authority.Pem);
        await File.WriteAllTextAsync(OtherAuthorities, other.Pem);
        var database = PrivateDatabase.CreateEncryptedAsync(authority, "localhost");
        Broker = await PrivateBroker.CreateEncryptedAsync(authority, "localhost");
        Database = await database;
    }

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        await Database.DisposeAsync();
        authority.Dispose();
        other.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}

/// <summary>Connections to the broker and the database are encrypted where the configuration says so, and only with the right servers.</summary>
public sealed class TlsTests(EncryptedServers servers) : IClassFixture<EncryptedServers>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_task_runs_where_database_and_broker_take_TLS_only()
    {
        // The nodes of a cluster have names of their own; the certificate has the cluster's.
        await using var worker = Start(
            "services/Worker",
            Trusted(),
            ("RabbitMq:Nodes:0", $"127.0.0.1:{servers.Broker.Uri.Port}"),
            ("Logging:LogLevel:MassTransit", "Information")
        );
        await using var api = Start("services/Api", Trusted());
        await using var dashboard = Start("services/Dashboard", Trusted());
        using var client = new HttpClient { BaseAddress = await api.WaitForAddressAsync(Patience) }.WithTestKey();

        using var submitted = await client.PostAsJsonAsync("/heavy-tasks", new { kind = "users.statistics" });
        submitted.EnsureSuccessStatusCode();
        var id = (await submitted.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        await Eventually.Async(
            async () =>
            {
                var task = await client.GetFromJsonAsync<JsonElement>($"/heavy-tasks/{id}");
                task.GetProperty("status").GetString().ShouldBe("Succeeded", $"{task}\n{worker.Output}");
                return true;
            },
            Patience
        );
        foreach (var service in (ServiceProcess[])[api, worker, dashboard])
        {
            using var health = new HttpClient { BaseAddress = await service.WaitForAddressAsync(Patience) };
            await Eventually.Async(
                async () =>
                {
                    var checks = (await health.GetFromJsonAsync<JsonElement>("/health/ready")).GetProperty("checks");
                    return ((string[])["broker", "broker-publish", "broker-probe", "database"]).All(name =>
                        checks.GetProperty(name).GetString() == "Healthy"
                    );
                },
                Patience
            );
        }
    }

    [Fact]
    public async Task Neither_server_speaks_with_somebody_who_does_not_encrypt()
    {
        await using var connection = Dialect.Current.CreateUnpooledConnection(servers.Database.Unencrypted(), null, Patience);
        await Should.ThrowAsync<DbException>(connection.OpenAsync(TestContext.Current.CancellationToken));

        using var broker = new TcpClient();
        await broker.ConnectAsync("127.0.0.1", servers.Broker.Uri.Port, TestContext.Current.CancellationToken);
        await broker.GetStream().WriteAsync("AMQP\0\0\x09\x01"u8.ToArray(), TestContext.Current.CancellationToken);
        var answer = new byte[64];
        using var limit = new CancellationTokenSource(Patience);
        var read = await broker.GetStream().ReadAsync(answer, limit.Token);

        // Nothing, or an alert of TLS: a broker that speaks AMQP would begin a frame, whose first byte is 1.
        (read == 0 || answer[0] == 0x15).ShouldBeTrue(Convert.ToHexString(answer[..read]));
    }

    [Theory]
    [InlineData("localhost", false, "authorities of")]
    [InlineData("127.0.0.1", true, "does not name 127.0.0.1")]
    public async Task A_broker_with_a_certificate_of_another_authority_or_another_name_is_refused(string host, bool trusted, string reason)
    {
        await using var api = Start(
            "services/Api",
            Trusted(),
            ("RabbitMq:Uri", BrokerAt(host)),
            ("RabbitMq:CertificateAuthority", trusted ? servers.Authorities : servers.OtherAuthorities)
        );

        var line = await api.WaitForOutputAsync($"The broker {host} is refused", Patience);

        line.ShouldContain(reason);
        line.ShouldContain("CN=Server of a test");
        using var health = new HttpClient { BaseAddress = await api.WaitForAddressAsync(Patience) };
        (await health.GetFromJsonAsync<JsonElement>("/health/ready"))
            .GetProperty("checks")
            .GetProperty("broker")
            .GetString()
            .ShouldBe("Degraded");
    }

    [Fact]
    public async Task Without_a_file_of_authorities_a_broker_must_be_known_to_the_machine()
    {
        await using var api = Start("services/Api", Trusted(), ("RabbitMq:CertificateAuthority", null));

        (await api.WaitForOutputAsync("The broker localhost is refused", Patience)).ShouldContain("CN=Authority of a test");
    }

    [Theory]
    [InlineData("localhost", false)]
    [InlineData("127.0.0.1", true)]
    public async Task A_database_with_a_certificate_of_another_authority_or_another_name_is_refused(string host, bool trusted)
    {
        var connectionString = servers.Database.Verified(host, trusted ? servers.Authorities : servers.OtherAuthorities);
        await using var command = ServiceProcess.Start(
            "services/Api",
            new Dictionary<string, string?> { ["ConnectionStrings__Platform"] = connectionString },
            "create-key",
            "somebody",
            "read"
        );

        (await command.WaitForExitAsync(Patience)).ShouldBe(1, command.Output);

        command.Output.ShouldContain("The key could not be saved: ");
        var reason = command.Output.Contains("SSL", StringComparison.OrdinalIgnoreCase) || command.Output.Contains("certificate");
        reason.ShouldBeTrue(command.Output);
    }

    [Theory]
    [InlineData("/nowhere.pem", "/nowhere.pem cannot be read")]
    [InlineData("", "contains no certificate in PEM")]
    [InlineData(null, "does not begin with amqps://")]
    public async Task A_file_of_authorities_that_is_of_no_use_is_said_at_the_start(string? file, string expected)
    {
        var settings = file switch
        {
            null => ("RabbitMq:Uri", "amqp://127.0.0.1:1/"),
            "" => ("RabbitMq:CertificateAuthority", Path.Combine(Repository.Root, "README.md")),
            _ => ("RabbitMq:CertificateAuthority", file),
        };
        await using var api = Start("services/Api", Trusted(), settings);

        (await api.WaitForExitAsync(Patience)).ShouldNotBe(0);

        api.Output.ShouldContain("RabbitMq:CertificateAuthority");
        api.Output.ShouldContain(expected);
    }

    private string BrokerAt(string host) => new UriBuilder(servers.Broker.Uri) { Host = host }.Uri.ToString();

    private Dictionary<string, string?> Trusted() =>
        new()
        {
            ["ConnectionStrings:Platform"] = servers.Database.Verified("localhost", servers.Authorities),
            ["RabbitMq:Uri"] = BrokerAt("localhost"),
            ["RabbitMq:CertificateAuthority"] = servers.Authorities,
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
        };

    private static ServiceProcess Start(
        string project,
        Dictionary<string, string?> settings,
        params IEnumerable<(string Key, string? Value)> others
    )
    {
        foreach (var (key, value) in others)
        {
            settings[key] = value;
        }

        return ServiceProcess.Start(
            project,
            settings.ToDictionary(setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value)
        );
    }
}
