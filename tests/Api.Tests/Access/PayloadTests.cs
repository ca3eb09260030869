using System.Net;
using Microsoft.EntityFrameworkCore;
using Platform.Api.Tests.HeavyTasks;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.Access;

/// <summary>Access:PayloadRole hides what tasks contain from whoever lacks the role.</summary>
public sealed class PayloadTests
{
    [Fact]
    public async Task What_tasks_contain_is_hidden_from_a_client_without_the_role_and_from_no_other()
    {
        await using var api = await TestApi.StartAsync(settings: ("Access:PayloadRole", "operate"));
        var id = await api.Client.SubmitTaskAsync();
        await using (var db = api.Database.CreateContext())
        {
            await db
                .HeavyTasks.Where(t => t.Id == id)
                .ExecuteUpdateAsync(set =>
                    set.SetProperty(t => t.Result, "{\"salary\":1}")
                        .SetProperty(t => t.Error, "no salary")
                        .SetProperty(t => t.ProgressText, "salary of Ada")
                );
            db.Add(
                new HeavyTaskAttempt
                {
                    TaskId = id,
                    Attempt = 1,
                    Worker = "w",
                    Error = "no salary",
                    StartedAt = TimeProvider.System.GetUtcNow().UtcDateTime,
                }
            );
            await db.SaveChangesAsync();
        }

        using var reader = await api.ClientWithAsync(HeavyTaskRole.Read);
        using var operating = await api.ClientWithAsync(HeavyTaskRole.Operate);
        foreach (var path in new[] { "/heavy-tasks", $"/heavy-tasks/{id}" })
        {
            (await reader.GetJsonAsync(path)).ToString().ShouldNotContain("salary");
            (await operating.GetJsonAsync(path)).ToString().ShouldContain("salary");
        }

        (await reader.GetJsonAsync($"/heavy-tasks/{id}")).GetProperty("status").GetString().ShouldBe("Queued");
    }

    [Fact]
    public async Task A_result_file_is_refused_to_a_client_without_the_role()
    {
        await using var api = await TestApi.StartAsync(settings: ("Access:PayloadRole", "admin"));
        var id = await api.SucceededWithFileAsync("secret"u8.ToArray());
        using var client = await api.ClientWithAsync(HeavyTaskRole.Operate);

        using var refused = await client.GetAsync($"/heavy-tasks/{id}/result");
        using var served = await api.Client.GetAsync($"/heavy-tasks/{id}/result");

        (await refused.ShouldBeProblemAsync(HttpStatusCode.Forbidden)).ToString().ShouldContain("PayloadRole");
        (await served.Content.ReadAsStringAsync()).ShouldBe("secret");
    }

    [Fact]
    public async Task A_role_that_is_none_is_named_at_the_start()
    {
        var failure = await Should.ThrowAsync<Exception>(async () =>
            await (await TestApi.StartAsync(settings: ("Access:PayloadRole", "boss"))).DisposeAsync()
        );

        failure.ToString().ShouldContain("PayloadRole");
    }
}
