using System.Data.Common;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>The users that <c>deploy/roles</c> makes can do what their services do, and no more.</summary>
public sealed partial class RoleTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Everything_works_with_a_database_user_for_each_service()
    {
        var database = await TestDatabase.CreateAsync();
        DatabaseRoles? roles = null;
        try
        {
            await database.EmptyAsync();
            roles = await DatabaseRoles.CreateAsync(database.ConnectionString);
            await using var broker = await TestBroker.CreateAsync();

            await using var migrated = Start("services/Api", roles.Migrate, "migrate");
            (await migrated.WaitForExitAsync(TimeSpan.FromMinutes(2))).ShouldBe(0, migrated.Output);

            // The second time is an update, and nothing may be missing meanwhile.
            await roles.GrantAsync(roles.Migrate);
            await roles.GrantAsync(roles.Migrate);
            await using var made = Start("services/Api", roles.Api, "create-key", "first", "admin");
            (await made.WaitForExitAsync(Patience)).ShouldBe(0, made.Output);
            var key = made.Output.Split('\n')[0];

            await using var api = Start("services/Api", roles.Api);
            await using var worker = Start("services/Worker", roles.Worker);
            await using var steps = Start("tests/TestWorker", roles.Worker);
            await using var dashboard = Start("services/Dashboard", roles.Dashboard);
            using var client = new HttpClient { BaseAddress = await api.WaitForAddressAsync(Patience) };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            await worker.WaitForOutputAsync("Application started", Patience);
            await steps.WaitForOutputAsync("Application started", Patience);

            ServiceProcess[] services = [steps, worker, api, dashboard];
            try
            {
                await UseAsync(client, database);
                await BrowseAsync(await dashboard.WaitForAddressAsync(Patience), key);
                await ForgetAsync(client, database);

                // A worker that ends gives back what it has.
                var given = await SubmitAsync(client, Steps("given back", 300, 100));
                await StatusAsync(client, given, "Running");
                foreach (var service in services)
                {
                    service.Terminate();
                }

                foreach (var service in services)
                {
                    (await service.WaitForExitAsync(Patience)).ShouldBe(0, service.Output);
                }
            }
            finally
            {
                // Said first where something failed: it is the likely reason.
                services.SelectMany(service => service.Output.Split('\n')).Where(line => Denied().IsMatch(line)).ShouldBeEmpty();
            }

            ServiceProcess Start(string project, string connectionString, params string[] arguments) =>
                ServiceProcess.Start(
                    project,
                    new Dictionary<string, string?>
                    {
                        ["ConnectionStrings__Platform"] = connectionString,
                        ["RabbitMq__Uri"] = broker.Uri.ToString(),
                        ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
                        ["Database__AcquireTimeout"] = "00:00:30",
                        ["HeavyTasks__RetentionInterval"] = "00:00:01",
                        ["HeavyTasks__DrainTimeout"] = "00:00:01",
                        ["Logging__LogLevel__Microsoft.AspNetCore"] = "Warning",
                    },
                    arguments
                );
        }
        finally
        {
            await database.DisposeAsync();
            await (roles?.DisposeAsync() ?? default);
        }
    }

    [Fact]
    public async Task The_database_refuses_each_service_what_is_not_its_own()
    {
        await using var broker = await TestBroker.CreateAsync();
        var database = await TestDatabase.CreateAsync();
        DatabaseRoles? roles = null;
        try
        {
            roles = await DatabaseRoles.CreateAsync(database.ConnectionString);
            await roles.GrantAsync(database.ConnectionString);
            var (api, worker, dashboard) = (roles.Api, roles.Worker, roles.Dashboard);

            foreach (var service in (string[])[api, worker, dashboard])
            {
                await RefusedAsync(service, "DROP TABLE users");
                await RefusedAsync(service, "ALTER TABLE users ADD COLUMN more int");
                await RefusedAsync(service, "CREATE TABLE more (id int)");
                await RefusedAsync(service, "CREATE INDEX more ON users (name)");
                await RefusedAsync(service, "TRUNCATE TABLE poison_messages");
                await RefusedAsync(service, "UPDATE audit_entries SET actor = 'nobody'");
                await RefusedAsync(service, "UPDATE heavy_tasks SET parameters = '{}'");
                await RefusedAsync(service, "UPDATE heavy_tasks SET tenant_id = 'mine'");
                await RefusedAsync(service, "UPDATE stored_files SET tenant_id = 'mine'");
                await RefusedAsync(service, "UPDATE outbox_messages SET destination_address = 'elsewhere'");
                await RefusedAsync(service, "UPDATE api_keys SET roles = 'admin'");
                await RefusedAsync(service, "DELETE FROM api_keys");
                await RefusedAsync(service, "DELETE FROM users");
                await RefusedAsync(service, $"DELETE FROM {History}");
            }

            foreach (var service in (string[])[api, dashboard])
            {
                await RefusedAsync(service, "DELETE FROM audit_entries");
                await RefusedAsync(service, "UPDATE heavy_tasks SET result = '{}'");
                await RefusedAsync(service, "UPDATE heavy_tasks SET owner = NULL");
                await RefusedAsync(service, "UPDATE heavy_task_attempts SET outcome = NULL");
                await RefusedAsync(service, "UPDATE heavy_task_log_lines SET text = ''");
                await RefusedAsync(service, "DELETE FROM heavy_task_minutes");
                await RefusedAsync(service, "INSERT INTO users (tenant_id, external_id, name) VALUES ('', '1', 'Ada')");
                await RefusedAsync(service, "UPDATE users SET name = 'Ada'");
                await RefusedAsync(service, "DELETE FROM heavy_task_kinds");
                await RefusedAsync(service, "UPDATE heavy_task_kinds SET parameters_schema = '{}'");
            }

            await RefusedAsync(api, "SELECT body FROM poison_messages");
            await RefusedAsync(dashboard, "SELECT count(*) FROM users");
            await RefusedAsync(dashboard, "UPDATE api_keys SET revoked_at = NULL");
            await RefusedAsync(
                dashboard,
                "INSERT INTO api_keys (id, name, secret_hash, roles, tenant_id, created_at) SELECT 'b', name, secret_hash, roles, tenant_id, created_at FROM api_keys"
            );
            await RefusedAsync(worker, "SELECT id FROM api_keys");
            await RefusedAsync(worker, "SELECT actor FROM audit_entries");
            await RefusedAsync(worker, "INSERT INTO audit_entries (id) VALUES (NULL)");
            await RefusedAsync(worker, "UPDATE heavy_task_kinds SET paused_at = NULL");
            await RefusedAsync(worker, "UPDATE heavy_task_kinds SET slots = NULL");
            await RefusedAsync(worker, "UPDATE instances SET drained_at = NULL");

            // A right cannot be given on; PostgreSQL only warns, and gives nothing.
            await using (var giving = await OpenAsync(api))
            {
                try
                {
                    await ExecuteAsync(giving, Grant(new DbConnectionStringBuilder { ConnectionString = worker }, "SELECT ON api_keys"));
                }
                catch (DbException) { }
            }

            await RefusedAsync(worker, "SELECT id FROM api_keys");

            // What is refused is refused for want of the right: whoever has it is not.
            await using var owner = await OpenAsync(database.ConnectionString);
            await ExecuteAsync(owner, "UPDATE api_keys SET roles = 'admin'");
            await ExecuteAsync(owner, "DELETE FROM audit_entries");
        }
        finally
        {
            await database.DisposeAsync();
            await (roles?.DisposeAsync() ?? default);
        }
    }

    private static bool IsMySql => Dialect.Current.Name == "MySql";

    private static string History => IsMySql ? "__EFMigrationsHistory" : "\"__EFMigrationsHistory\"";

    private static string Grant(DbConnectionStringBuilder user, string what) =>
        IsMySql ? $"GRANT {what} TO {user["User ID"]}@'%'" : $"GRANT {what} TO {user["Username"]}";

    // What the clients of the Api do.
    private static async Task UseAsync(HttpClient client, TestDatabase database)
    {
        var rows = string.Concat(Enumerable.Range(0, 3_000).Select(i => $"{i},Name {i},FR\n"));
        using var file = new StringContent($"id,name,country\n{rows},nobody,\n", Encoding.UTF8, "text/csv");
        var upload = await ReadAsync(await client.PostAsync("/files?name=users.csv", file), HttpStatusCode.Created);
        object Import(string onExisting) =>
            new
            {
                kind = "users.import",
                parameters = new
                {
                    fileId = upload.GetProperty("id").GetString(),
                    columns = new
                    {
                        externalId = "id",
                        name = "name",
                        country = "country",
                    },
                    onExisting,
                },
            };

        // The first writes new users, the second meets them, the third overwrites them.
        foreach (var onExisting in (string[])["Skip", "Skip", "Update"])
        {
            var import = await SubmitAsync(client, Import(onExisting));
            await StatusAsync(client, import, "Succeeded");
        }

        await StatusAsync(client, await SubmitAsync(client, new { kind = "users.statistics" }), "Succeeded");
        var export = await SubmitAsync(client, new { kind = "users.export" });
        await StatusAsync(client, export, "Succeeded");
        (await client.GetStringAsync($"/heavy-tasks/{export}/result")).Split('\n').Length.ShouldBeGreaterThan(3_000);
        await ReadAsync(await client.GetAsync("/users?email=nobody@nowhere.example"), HttpStatusCode.NotFound);

        // Cancelled while it waits and while it runs, failed, and again from there.
        var later = await SubmitAsync(client, new { kind = "users.statistics", dueAt = TimeProvider.System.GetUtcNow().AddHours(1) });
        await ReadAsync(await client.PostAsync($"/heavy-tasks/{later}/cancel", null), HttpStatusCode.OK, HttpStatusCode.Accepted);
        var running = await SubmitAsync(client, Steps("running", 600, 100));
        await StatusAsync(client, running, "Running");
        await ReadAsync(await client.PostAsync($"/heavy-tasks/{running}/cancel", null), HttpStatusCode.Accepted);
        await StatusAsync(client, running, "Cancelled");
        var failing = await SubmitAsync(client, Steps(new string('x', 3_000), 1, 0));
        await StatusAsync(client, failing, "Failed");
        await ReadAsync(await client.PostAsync($"/heavy-tasks/{failing}/retry", null), HttpStatusCode.OK, HttpStatusCode.Accepted);
        await StatusAsync(client, failing, "Failed");

        foreach (var path in (string[])["/heavy-tasks", "/heavy-tasks/kinds", "/services", "/keys", "/health/ready"])
        {
            using var answer = await client.GetAsync(path);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
        }

        foreach (var action in (string[])["pause", "resume", "purge"])
        {
            await ReadAsync(await client.PostAsync($"/heavy-tasks/kinds/users.export/{action}", null), HttpStatusCode.OK);
        }

        foreach (var slots in (int?[])[1, null])
        {
            await ReadAsync(await client.PutAsJsonAsync("/heavy-tasks/kinds/users.export/slots", new { slots }), HttpStatusCode.OK);
        }

        var services = (await ReadAsync(await client.GetAsync("/services"), HttpStatusCode.OK)).GetProperty("services");
        var instance = services
            .EnumerateArray()
            .Single(s => s.GetProperty("name").GetString() == "platform-worker")
            .GetProperty("instances")[0];
        foreach (var action in (string[])["drain", "resume"])
        {
            await ReadAsync(
                await client.PostAsync($"/services/{instance.GetProperty("id").GetString()}/{action}", null),
                HttpStatusCode.OK
            );
        }

        // With tags, and with what its handler logged.
        var tagged = await SubmitAsync(
            client,
            new
            {
                kind = "test.steps",
                parameters = new
                {
                    name = "tagged",
                    steps = 3,
                    pauseMilliseconds = 0,
                },
                tags = (string[])["a", "b"],
            }
        );
        await StatusAsync(client, tagged, "Succeeded");
        await Eventually.Async(
            async () => (await client.GetStringAsync($"/heavy-tasks/{tagged}/log")).Contains("Step 3", StringComparison.Ordinal),
            Patience
        );
        (await client.GetStringAsync("/heavy-tasks?tag=a")).ShouldContain(tagged);
        using (var deleted = await client.DeleteAsync($"/heavy-tasks/{tagged}"))
        {
            deleted.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        }

        var created = await ReadAsync(
            await client.PostAsJsonAsync("/keys", new { name = "second", roles = (string[])["read"] }),
            HttpStatusCode.Created
        );
        using var revoked = await client.DeleteAsync($"/keys/{created.GetProperty("id").GetString()}");
        revoked.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await client.GetStringAsync("/audit")).ShouldContain("RevokeKey");

        // An upload that breaks off is deleted by the Api.
        using var broken = new StreamContent(new BrokenStream());
        broken.Headers.ContentLength = 10_000_000;
        await Should.ThrowAsync<HttpRequestException>(() => client.PostAsync("/files?name=broken.csv", broken));
        await Eventually.Async(
            async () => (long)(await database.ScalarAsync("SELECT count(*) FROM stored_files WHERE name = 'broken.csv'"))! == 0,
            Patience
        );
    }

    // Every page, as the browser gets it before it is live.
    private static async Task BrowseAsync(Uri address, string key)
    {
        using var browser = new HttpClient { BaseAddress = address };
        var form = await browser.GetStringAsync("/sign-in");
        using var signIn = new FormUrlEncodedContent([
            new("_handler", "sign-in"),
            new("__RequestVerificationToken", Token().Match(form).Groups[1].Value),
            new("Key", key),
        ]);
        using (var signedIn = await browser.PostAsync("/sign-in", signIn))
        {
            signedIn.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        foreach (var path in (string[])["/", "/tasks", "/tasks?tag=a", "/kinds/users.export", "/workers", "/faults", "/audit", "/submit"])
        {
            var page = await browser.GetStringAsync(path);
            page.ShouldContain("Sign out", Case.Insensitive, path);
        }
    }

    // What is old is deleted.
    private static async Task ForgetAsync(HttpClient client, TestDatabase database)
    {
        await database.ScalarAsync("UPDATE heavy_tasks SET finished_at = '2020-01-01 00:00:00' WHERE finished_at IS NOT NULL");
        await database.ScalarAsync("UPDATE audit_entries SET created_at = '2020-01-01 00:00:00'");
        await database.ScalarAsync("UPDATE stored_files SET created_at = '2020-01-01 00:00:00'");
        await database.ScalarAsync("UPDATE heavy_task_minutes SET minute = '2020-01-01 00:00:00' WHERE kind = 'users.export'");
        await database.ScalarAsync(
            "INSERT INTO heavy_task_kinds (name, description, parameters_schema, service, announced_at) VALUES ('old.kind', '', '{}', '', '2020-01-01 00:00:00')"
        );
        foreach (
            var what in (string[])
                [
                    "heavy_tasks",
                    "heavy_task_attempts",
                    "heavy_task_files",
                    "heavy_task_log_lines",
                    "audit_entries",
                    "stored_files",
                    "stored_file_chunks",
                    "heavy_task_minutes WHERE minute < '2021-01-01 00:00:00'",
                    "heavy_task_kinds WHERE name = 'old.kind'",
                ]
        )
        {
            await Eventually.Async(async () => await database.CountAsync(what) == 0, TimeSpan.FromMinutes(3), $"{what} are gone");
        }

        (await client.GetAsync("/health/ready")).Dispose();
    }

    private static object Steps(string name, int steps, int pauseMilliseconds) =>
        new
        {
            kind = "test.steps",
            parameters = new
            {
                name,
                steps,
                pauseMilliseconds,
            },
            maxFailures = 1,
        };

    private static async Task<string> SubmitAsync(HttpClient client, object body)
    {
        // The Api hears of a worker's kinds within a second.
        string? id = null;
        await Eventually.Async(
            async () =>
            {
                using var answer = await client.PostAsJsonAsync("/heavy-tasks", body);
                answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
                id = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
                return true;
            },
            TimeSpan.FromSeconds(20)
        );
        return id!;
    }

    private static Task StatusAsync(HttpClient client, string id, string status) =>
        Eventually.Async(
            async () =>
            {
                var task = await client.GetFromJsonAsync<JsonElement>($"/heavy-tasks/{id}");
                task.GetProperty("status").GetString().ShouldBe(status, $"{task}");
                return true;
            },
            Patience,
            $"{id} is {status}"
        );

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer, params HttpStatusCode[] expected)
    {
        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync();
            expected.ShouldContain(answer.StatusCode, text);
            return text.Length == 0 ? default : JsonElement.Parse(text);
        }
    }

    private static async Task RefusedAsync(string connectionString, string sql)
    {
        await using var connection = await OpenAsync(connectionString);
        var refusal = await Should.ThrowAsync<DbException>(() => ExecuteAsync(connection, sql), sql);

        // 42501: insufficient privilege. MySQL's numbers have names of their own.
        (refusal.SqlState == "42501" || refusal.Message.Contains("denied", StringComparison.Ordinal)).ShouldBeTrue(
            $"{sql}: {refusal.Message}"
        );
    }

    private static async Task<DbConnection> OpenAsync(string connectionString)
    {
        var connection = Dialect.Current.CreateUnpooledConnection(connectionString, applicationName: null, TimeSpan.FromSeconds(30));
        await connection.OpenAsync();
        return connection;
    }

    private static async Task ExecuteAsync(DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    [GeneratedRegex("denied|permission|privilege|42501|must be owner", RegexOptions.IgnoreCase)]
    private static partial Regex Denied();

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();

    /// <summary>A client that goes away in the middle of its file.</summary>
    private sealed class BrokenStream : Stream
    {
        private int left = 1_000_000;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = Math.Min(count, left);
            left -= read;
            return read > 0 ? read : throw new IOException("The client goes away.");
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
