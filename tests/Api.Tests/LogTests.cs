using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.ServiceDefaults;
using Platform.Support;

namespace Platform.Api.Tests;

/// <summary>What clients can make the log say.</summary>
public sealed class LogTests : IDisposable
{
    private readonly RecordedLog log = new();

    public void Dispose() => log.Dispose();

    [Fact]
    public async Task Repeat_of_a_request_is_not_logged()
    {
        await using var api = await StartAsync();
        const string Body = """{"kind":"users.statistics"}""";
        using var first = await api.Client.SubmitAsync(Body, "key");
        first.StatusCode.ShouldBe(HttpStatusCode.Accepted);

        using var again = await api.Client.SubmitAsync(Body, "key");
        using var other = await api.Client.SubmitAsync("""{"kind":"users.export"}""", "key");
        var atOnce = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => api.Client.SubmitAsync(Body, "another")));

        again.StatusCode.ShouldBe(HttpStatusCode.OK);
        other.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        atOnce.Count(response => response.StatusCode == HttpStatusCode.Accepted).ShouldBe(1);
        atOnce.Count(response => response.StatusCode == HttpStatusCode.OK).ShouldBe(19);
        NothingIsLogged();
    }

    [Fact]
    public async Task What_clients_do_wrong_is_not_logged()
    {
        await using var api = await StartAsync();

        using var json = await api.Client.SubmitAsync("{\u001b");
        using var tooLong = await api.Client.SubmitAsync(new string(' ', 70_000));
        using var kind = await api.Client.SubmitAsync("""{"kind":"\u001b[2J"}""");
        using var path = await api.Client.GetAsync("/%1B[2J");
        using var name = await api.Client.PostAsync("/files?name=%1B", new ByteArrayContent([1]));
        using (var connection = await RawConnection.OpenAsync(api.Client.BaseAddress!))
        {
            await connection.SendAsync(
                "POST /files?name=a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"
            );
            (await connection.ReadHeadersAsync()).ShouldStartWith("HTTP/1.1 400 ");
        }

        NothingIsLogged();
    }

    [Fact]
    public async Task Request_without_an_answer_of_the_database_is_named_by_its_path()
    {
        await using var api = await StartAsync(("Database:MaxPoolSize", "1"), ("Database:AcquireTimeout", "00:00:01"));

        // From now on the keys of clients are known for some seconds.
        using var first = await api.Client.GetAsync("/users/1");
        await using var scope = api.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<PlatformDbContext>().Database.OpenConnectionAsync();

        using var submit = await api.Client.SubmitAsync("""{"kind":"users.statistics"}""");
        using var read = await api.Client.GetAsync("/users/1");

        var texts = log.Of("DatabaseUnavailableHandler", LogLevel.Warning).Select(entry => entry.Text).ToList();
        texts.ShouldContain(text => text.StartsWith("POST /heavy-tasks got no answer", StringComparison.Ordinal));
        texts.ShouldContain(text => text.StartsWith("GET /users/1 got no answer", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a\u001b[2Jb", "a\\u001b[2Jb")]
    [InlineData("a\0b\u0007\u009b\u202e", "a\\u0000b\\u0007\\u009b\\u202e")]
    [InlineData("a\rinfo: forged", "a\\u000dinfo: forged")]
    public void Console_shows_no_character_that_a_terminal_obeys(string text, string shown)
    {
        var written = Write(text, new InvalidOperationException(text));

        written.ShouldContain($"      {shown}{Environment.NewLine}");
        written.ShouldContain($"System.InvalidOperationException: {shown}");
        written.ShouldNotContain(text);
    }

    [Fact]
    public void Console_shows_lines_but_none_that_begins_an_entry()
    {
        var written = Write("one\r\ninfo: forged\ttabbed");

        written.ShouldBe(
            $"warn: category[0]{Environment.NewLine}      one{Environment.NewLine}      info: forged\ttabbed{Environment.NewLine}",
            written
        );
    }

    [Fact]
    public void Console_cuts_what_is_long()
    {
        var text = new string('x', 1_000_000);

        Write(text, new InvalidOperationException(text)).Length.ShouldBeLessThan(40_000);
    }

    [Theory]
    [InlineData(null, CleanConsole.FormatterName)]
    [InlineData("simple", CleanConsole.FormatterName)]
    [InlineData("json", "json")]
    public void Format_that_was_chosen_stays(string? chosen, string expected)
    {
        using var services = new ServiceCollection()
            .AddLogging(logging => logging.AddConsole(options => options.FormatterName = chosen).AddCleanConsole())
            .BuildServiceProvider();

        services.GetRequiredService<IOptions<ConsoleLoggerOptions>>().Value.FormatterName.ShouldBe(expected);
        services.GetRequiredService<ILoggerFactory>().ShouldNotBeNull();
    }

    [Fact]
    public void Quotation_is_short_and_on_one_line()
    {
        LoggedText.Of("a\r\nb\u2028c").ShouldBe("a\\u000d\\u000ab\\u2028c");
        LoggedText.Of(new string('x', 900_000)).Length.ShouldBeLessThan(600);
        LoggedText.Of(new InvalidOperationException(new string('x', 900_000))).Length.ShouldBeLessThan(600);
    }

    private static string Write(string text, Exception? exception = null)
    {
        using var services = new ServiceCollection().AddLogging(logging => logging.AddCleanConsole()).BuildServiceProvider();
        var formatter = services.GetServices<ConsoleFormatter>().Single(f => f.Name == CleanConsole.FormatterName);
        using var writer = new StringWriter();
        var entry = new LogEntry<string>(LogLevel.Warning, "category", 0, text, exception, (state, _) => state);
        formatter.Write(entry, null, writer);
        return writer.ToString();
    }

    private Task<TestApi> StartAsync(params (string Key, string Value)[] settings) =>
        TestApi.StartAsync(services => services.AddSingleton<ILoggerProvider>(log), settings);

    private void NothingIsLogged()
    {
        foreach (var level in new[] { LogLevel.Warning, LogLevel.Error, LogLevel.Critical })
        {
            log.Of("", level).Select(entry => $"{entry.Category}: {entry.Text}").ShouldBeEmpty();
        }
    }
}
