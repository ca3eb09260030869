using System.Net;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.HeavyTasks;

public sealed class SubmitSettingsTests
{
    [Fact]
    public async Task Task_and_message_are_written_together_or_not_at_all()
    {
        await using var api = await TestApi.StartAsync();
        await api.Database.ScalarAsync("ALTER TABLE outbox_messages ADD CONSTRAINT refuse_all CHECK (1 = 0)");

        using var response = await api.Client.SubmitAsync("""{"kind":"users.statistics"}""");

        var problem = await response.ShouldBeProblemAsync(HttpStatusCode.InternalServerError);
        problem.ToString().ShouldNotContain("outbox");
        problem.ToString().ShouldNotContain("Exception");
        (await api.Database.CountAsync("heavy_tasks")).ShouldBe(0);
    }

    [Fact]
    public async Task Default_number_of_attempts_is_a_setting()
    {
        await using var api = await TestApi.StartAsync(settings: ("HeavyTasks:DefaultMaxFailures", "2"));

        var id = await api.Client.SubmitTaskAsync();

        await using var db = api.Database.CreateContext();
        (await db.HeavyTasks.SingleAsync(t => t.Id == id)).MaxFailures.ShouldBe(2);
    }
}
