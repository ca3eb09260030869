namespace Platform.Cli.Tests.Support;

/// <summary>Answers with status 200 that the API would not give.</summary>
internal static class Unusable
{
    /// <summary>Runs a command that gets the answer, for people and as JSON: both say in one line that this is not the API.</summary>
    public static async Task ShouldBeRefusedAsync(string answer, params string[] command)
    {
        await using var other = await StandInApi.StartAsync(answer);
        foreach (var args in new string[][] { command, [.. command, "--json"] })
        {
            var run = await CliRun.RunAsync(other, args);

            run.ExitCode.ShouldBe(4);
            run.ErrorLines.ShouldHaveSingleItem().ShouldStartWith($"error: {other.Url} does not answer like the API: ");
            run.OutputBytes.ShouldBeEmpty();
        }
    }
}
