using System.Net;
using Microsoft.Extensions.Logging;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.HeavyTasks;

public sealed class HeavyTaskLogTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task The_last_lines_are_shown_oldest_first_over_all_attempts()
    {
        var id = await api.Client.SubmitTaskAsync();
        await WriteAsync(id, (1, 1, "first"), (1, 2, "second"), (2, 1, "third"));

        var log = await api.Client.GetJsonAsync($"/heavy-tasks/{id}/log");
        var last = await api.Client.GetJsonAsync($"/heavy-tasks/{id}/log?limit=2");

        Texts(log).ShouldBe(["first", "second", "third"]);
        log.GetProperty("hasEarlier").GetBoolean().ShouldBeFalse();
        var line = log.GetProperty("lines")[2];
        line.GetProperty("attempt").GetInt32().ShouldBe(2);
        line.GetProperty("level").GetString().ShouldBe("Warning");
        line.GetProperty("at").GetDateTime().Kind.ShouldBe(DateTimeKind.Utc);
        Texts(last).ShouldBe(["second", "third"]);
        last.GetProperty("hasEarlier").GetBoolean().ShouldBeTrue();
        Texts(await api.Client.GetJsonAsync($"/heavy-tasks/{id}/log?attempt=1&limit=1000")).ShouldBe(["first", "second"]);
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=1001", "limit")]
    [InlineData("attempt=0", "attempt")]
    [InlineData("attempt=first", "attempt")]
    [InlineData("limit=x", "limit")]
    [InlineData("limit=1&limit=2", "limit")]
    public async Task A_number_that_is_none_is_named(string query, string field)
    {
        var id = await api.Client.SubmitTaskAsync();

        using var response = await api.Client.GetAsync($"/heavy-tasks/{id}/log?{query}");

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, field);
    }

    private async Task WriteAsync(Guid id, params (int Attempt, int Number, string Text)[] lines)
    {
        await using var db = api.Database.CreateContext();
        db.AddRange(
            lines.Select(line => new HeavyTaskLogLine
            {
                TaskId = id,
                Attempt = line.Attempt,
                Number = line.Number,
                At = TimeProvider.System.GetUtcNow().UtcDateTime,
                Level = LogLevel.Warning,
                Text = line.Text,
            })
        );
        await db.SaveChangesAsync();
    }

    private static IEnumerable<string?> Texts(System.Text.Json.JsonElement log) =>
        log.GetProperty("lines").EnumerateArray().Select(line => line.GetProperty("text").GetString());
}
