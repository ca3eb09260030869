using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Http;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

/// <summary>Where the key comes from, where it goes, and that nobody reads it on the way.</summary>
public sealed class ApiKeyTests : IDisposable
{
    private const string Unauthorized =
        """{"title":"Unauthorized","status":401,"detail":"The key is not known, has ended, or was revoked."}""";

    private readonly TemporaryFolder folder = new();
    private readonly ConcurrentQueue<string> sent = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Key_comes_from_the_option_then_from_its_files_variable_then_from_its_own_variable()
    {
        await using var api = await StartAsync();
        var first = folder.Write("first.key", Keys.Of('1'));
        var second = folder.Write("second.key", Keys.Of('2'));

        await CliRun.RunAsync(api, Keys.With(second, Keys.Of('3')), "show", Tasks.Id, "--key-file", first);
        await CliRun.RunAsync(api, Keys.With(second, Keys.Of('3')), "--key-file", first, "show", Tasks.Id);
        await CliRun.RunAsync(api, Keys.With(second, Keys.Of('3')), "show", Tasks.Id);
        await CliRun.RunAsync(api, Keys.With(key: Keys.Of('3')), "show", Tasks.Id);
        await CliRun.RunAsync(api, Keys.With("", $" {Keys.Of('3')}\n"), "show", Tasks.Id);
        await CliRun.RunAsync(api, Keys.With("", ""), "show", Tasks.Id);
        await CliRun.RunAsync(api, "show", Tasks.Id);

        sent.ShouldBe([
            $"Bearer {Keys.Of('1')}",
            $"Bearer {Keys.Of('1')}",
            $"Bearer {Keys.Of('2')}",
            $"Bearer {Keys.Of('3')}",
            $"Bearer {Keys.Of('3')}",
            "",
            "",
        ]);
    }

    [Theory]
    [InlineData("{0}")]
    [InlineData("  {0}\r\n\n")]
    [InlineData("\ufeff{0}\n")]
    [InlineData("Authorization: Bearer {0}\n")]
    [InlineData("authorization:bearer   {0}")]
    public async Task File_has_the_key_or_the_header_for_curl(string content)
    {
        await using var api = await StartAsync();

        var run = await CliRun.RunAsync(
            api,
            "show",
            Tasks.Id,
            "--key-file",
            folder.Write("ci.key", content.Replace("{0}", Keys.Key, StringComparison.Ordinal))
        );

        run.ExitCode.ShouldBe(0, run.Error);
        sent.ShouldBe([$"Bearer {Keys.Key}"]);
    }

    [Fact]
    public async Task Every_command_that_calls_the_api_sends_the_key()
    {
        await using var api = await StartAsync();
        var file = folder.Write("users.csv", "name\n");
        string[][] commands =
        [
            ["upload", file],
            ["submit", "users.export"],
            ["follow", Tasks.Id],
            ["show", Tasks.Id],
            ["list"],
            ["download", Tasks.Id, "-o", "-"],
            ["cancel", Tasks.Id],
            ["retry", Tasks.Id],
            ["kinds"],
            ["doctor"],
            ["keys", "create", "ci", "--role", "read"],
            ["keys", "list"],
            ["keys", "revoke", Keys.Id],
            ["audit"],
        ];

        foreach (var command in commands)
        {
            await CliRun.RunAsync(api, Keys.With(key: Keys.Key), command);
        }

        sent.ShouldBe(Enumerable.Repeat($"Bearer {Keys.Key}", commands.Length));
    }

    [Fact]
    public async Task Redirect_does_not_take_the_key_elsewhere()
    {
        await using var elsewhere = await StartAsync();
        await using var api = await StandInApi.StartAsync(context =>
        {
            context.Response.Redirect($"{elsewhere.Url}/heavy-tasks/{Tasks.Id}");
            return Task.CompletedTask;
        });

        var run = await CliRun.RunAsync(api, Keys.With(key: Keys.Key), "show", Tasks.Id);

        run.ExitCode.ShouldBe(4);
        elsewhere.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("empty", "", "is empty")]
    [InlineData("blank", " \n", "is empty")]
    [InlineData("no key in the header", "Authorization: Bearer \n", "is empty")]
    [InlineData("another scheme", "Authorization: Basic hunter2secret", "is not a key")]
    [InlineData("no scheme", "Authorization: hunter2secret", "is not a key")]
    [InlineData("two lines", "hunter2secret\nhunter2secret", "is not a key")]
    [InlineData("not ASCII", "hunter2secretä", "is not a key")]
    [InlineData("control character", "hunter2\u0001secret", "is not a key")]
    public async Task Bad_file_is_refused_without_showing_its_content(string name, string content, string problem)
    {
        await using var api = await StartAsync();
        var file = folder.Write($"{name}.key", content);

        var option = await CliRun.RunAsync(api, "list", "--key-file", file);
        var variable = await CliRun.RunAsync(api, Keys.With(file, Keys.Key), "list");

        option.ExitCode.ShouldBe(2);
        option.ErrorLines.ShouldHaveSingleItem().ShouldStartWith($"error: --key-file '{file}' {problem}");
        variable.ExitCode.ShouldBe(2);
        variable.ErrorLines.ShouldHaveSingleItem().ShouldStartWith($"error: PLATFORM_API_KEY_FILE '{file}' {problem}");
        $"{option.Error}{option.Output}{variable.Error}{variable.Output}".ShouldNotContain("hunter2");
        api.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task File_may_be_4_KiB_long_and_no_longer()
    {
        await using var api = await StartAsync();
        var fits = folder.Write("fits.key", new string('k', 4096));
        var tooLong = folder.Write("long.key", new string('k', 4097));

        var fitting = await CliRun.RunAsync(api, "show", Tasks.Id, "--key-file", fits);
        var refused = await CliRun.RunAsync(api, "show", Tasks.Id, "--key-file", tooLong);

        fitting.ExitCode.ShouldBe(0, fitting.Error);
        refused.ExitCode.ShouldBe(2);
        refused.ErrorLines.ShouldHaveSingleItem().ShouldStartWith($"error: --key-file '{tooLong}' is longer than 4096 bytes");
        refused.Error.ShouldNotContain("kkkk");
    }

    [Fact]
    public async Task File_that_cannot_be_read_is_refused()
    {
        await using var api = await StartAsync();

        foreach (var file in new[] { folder.File("absent.key"), folder.Path })
        {
            var option = await CliRun.RunAsync(api, "list", "--key-file", file);
            var variable = await CliRun.RunAsync(api, Keys.With(file), "list");

            option.ExitCode.ShouldBe(2);
            option.ErrorLines.ShouldHaveSingleItem().ShouldStartWith($"error: --key-file '{file}' cannot be read: ");
            variable.ExitCode.ShouldBe(2);
            variable.ErrorLines.ShouldHaveSingleItem().ShouldStartWith($"error: PLATFORM_API_KEY_FILE '{file}' cannot be read: ");
        }

        (await CliRun.RunAsync(api, "list", "--key-file", "")).ExitCode.ShouldBe(2);
        api.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("  ", "is empty")]
    [InlineData("hunter2 secret", "is not a key")]
    [InlineData("hunter2\nX-Other: secret", "is not a key")]
    public async Task Bad_key_in_the_variable_is_refused_without_showing_it(string key, string problem)
    {
        await using var api = await StartAsync();

        var run = await CliRun.RunAsync(api, Keys.With(key: key), "list");

        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldStartWith($"error: PLATFORM_API_KEY {problem}");
        run.Error.ShouldNotContain("hunter2");
        api.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Key_where_it_does_not_belong_is_not_repeated()
    {
        await using var api = await StartAsync();
        string[][] commands =
        [
            ["list", "--key-file", Keys.Key],
            ["list", "--key-file", $"Authorization: Bearer {Keys.Key}"],
            ["list", "--key", Keys.Key],
            ["list", $"--api-key={Keys.Key}"],
            ["keys", "revoke", Keys.Key],
            ["audit", "--actor", Keys.Key],
            ["audit", "--target", Keys.Key],
            ["show", Keys.Key],
        ];

        foreach (var command in commands)
        {
            var run = await CliRun.RunAsync(api, command);

            run.ExitCode.ShouldBe(2);
            run.Error.ShouldContain("--key-file takes the name of");
            $"{run.Error}{run.Output}".ShouldNotContain("aaaa");
        }

        (await CliRun.RunAsync(api, Keys.With(Keys.Key), "list")).Error.ShouldBe(
            "error: PLATFORM_API_KEY_FILE takes the name of a file that holds the key, not the key itself.\n"
        );
        api.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Command_that_asks_nobody_needs_no_key()
    {
        var absent = Keys.With(folder.File("absent.key"));

        var size = await CliRun.RunAsync(absent, "size", "--rate", "1/s", "--run", "1s");
        var users = await CliRun.RunAsync(absent, "generate-users", folder.File("users.csv"), "--rows", "1");

        size.ExitCode.ShouldBe(0, size.Error);
        users.ExitCode.ShouldBe(0, users.Error);
    }

    [Fact]
    public async Task Missing_or_unknown_key_ends_with_3_and_says_how_to_give_one()
    {
        await using var api = await StandInApi.StartAsync(Unauthorized, 401);
        var file = folder.Write("users.csv", "name\n");

        foreach (var command in new string[][] { ["list"], ["follow", Tasks.Id], ["upload", file], ["keys", "list"] })
        {
            var run = await CliRun.RunAsync(api, Keys.With(key: Keys.Key), command);

            run.ExitCode.ShouldBe(3);
            run.OutputBytes.ShouldBeEmpty();
            run.Error.ShouldEndWith(
                """
                error: The API refused (401 Unauthorized).
                  The key is not known, has ended, or was revoked.
                  Give a key with --key-file or PLATFORM_API_KEY_FILE.

                """
            );
            run.Error.ShouldNotContain("aaaa");
        }
    }

    [Fact]
    public async Task Key_without_the_role_ends_with_3_and_says_which_is_needed()
    {
        await using var api = await StandInApi.StartAsync(
            """{"title":"Forbidden","status":403,"detail":"This needs a key with the role operate; this key has read."}""",
            403
        );

        var run = await CliRun.RunAsync(api, Keys.With(key: Keys.Key), "cancel", Tasks.Id);

        run.ExitCode.ShouldBe(3);
        run.Error.ShouldBe(
            """
            error: The API refused (403 Forbidden).
              This needs a key with the role operate; this key has read.

            """
        );
    }

    [Theory]
    [InlineData(500)]
    [InlineData(404)]
    [InlineData(200)]
    public async Task No_error_shows_the_key(int status)
    {
        await using var api = await StandInApi.StartAsync("[]", status);
        await using var gone = await StandInApi.StartAsync("[]");
        await gone.StopAsync();
        var errors = new StringBuilder();

        foreach (var command in new string[][] { ["show", Tasks.Id], ["list"], ["keys", "create", "ci", "--role", "read"], ["doctor"] })
        {
            foreach (var url in new[] { api.Url, gone.Url })
            {
                var run = await CliRun.RunAsync(Keys.With(key: Keys.Key), [.. command, "--url", url]);
                run.ExitCode.ShouldBeOneOf(3, 4);
                errors.Append(run.Error).Append(run.Output);
            }
        }

        errors.ToString().ShouldNotContain("aaaa");
    }

    private Task<StandInApi> StartAsync() =>
        StandInApi.StartAsync(context =>
        {
            sent.Enqueue(context.Request.Headers.Authorization.ToString());
            return StandInApi.AnswerAsync(
                context,
                context.Request.Path.Value is "/heavy-tasks" && HttpMethods.IsGet(context.Request.Method)
                    ? """{"items":[],"next":null}"""
                    : Tasks.Succeeded()
            );
        });
}
