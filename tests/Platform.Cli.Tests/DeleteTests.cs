using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

/// <summary><c>delete</c>.</summary>
public sealed class DeleteTests
{
    [Theory]
    [InlineData(404, "There is no task.")]
    [InlineData(409, "Only a task that has ended can be deleted. Cancel it first.")]
    [InlineData(403, "The role operate is needed.")]
    public async Task A_refused_deletion_says_why_and_nothing_else(int status, string detail)
    {
        await using var api = await StandInApi.StartAsync($$"""{"title":"No","detail":"{{detail}}"}""", status);

        var run = await CliRun.RunAsync(api, "delete", Tasks.Id, "--json");

        run.ExitCode.ShouldBe(3);
        run.OutputBytes.ShouldBeEmpty();
        run.ErrorLines.ShouldBe([$"error: The API refused ({status} No).", $"  {detail}"]);
    }

    [Fact]
    public async Task An_answer_with_a_body_is_not_the_apis()
    {
        await using var other = await StandInApi.StartAsync(Tasks.Succeeded());

        var run = await CliRun.RunAsync(other, "delete", Tasks.Id);

        run.ExitCode.ShouldBe(4);
        run.ErrorLines.ShouldHaveSingleItem().ShouldEndWith("it answers 200 to the deletion of a task.");
        run.OutputBytes.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Deleted.\n")]
    [InlineData($"{{\"deleted\":\"{Tasks.Id}\"}}\n", "--json")]
    public async Task A_task_is_deleted(string output, params string[] options)
    {
        await using var api = await StandInApi.StartAsync(context =>
        {
            context.Response.StatusCode = 204;
            return Task.CompletedTask;
        });

        var run = await CliRun.RunAsync(api, ["delete", Tasks.Id, .. options]);

        (run.ExitCode, run.Output, run.Error).ShouldBe((0, output, ""));
        api.Requests.ShouldBe([$"DELETE /heavy-tasks/{Tasks.Id}"]);
    }
}
