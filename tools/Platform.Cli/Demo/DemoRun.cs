using System.Text.Json;
using Platform.Cli.Api;
using Platform.Cli.Commands;
using Platform.Cli.Following;
using Platform.Cli.Users;

namespace Platform.Cli.Demo;

/// <summary>Generates users, imports, exports and counts them, with the same commands that a person would use.</summary>
internal sealed class DemoRun(CliSession session, string folder)
{
    private readonly DemoSteps steps = new(session);

    /// <exception cref="TaskNotSucceededException">A task failed or was cancelled.</exception>
    /// <exception cref="ApiUnavailableException">The API is away, or a task's result does not have the expected form.</exception>
    public async Task<DemoNumbers> RunAsync(long rows, CancellationToken cancellationToken)
    {
        var generated = Path.Combine(folder, "users.csv");
        await GenerateUsersCommand.SaveAsync(session, generated, rows, GenerateUsersCommand.DefaultSeed, cancellationToken);
        steps.Done($"{rows} users generated");

        var file = (await UploadCommand.SendAsync(session, generated, cancellationToken)).Value;
        steps.Done($"{file.Length} bytes uploaded");

        var columns = CsvRow.UserColumns.ToDictionary(name => name);
        var import = await FinishAsync("users.import", new { fileId = file.Id, columns }, cancellationToken);
        var (imported, updated) = (import.Number("imported"), import.Number("updated"));
        var (skipped, rejected) = (import.Number("skipped"), import.Number("rejected"));
        steps.Done($"users.import: {imported} imported, {updated} updated, {skipped} skipped (existed already), {rejected} rejected");

        var export = await FinishAsync("users.export", new { }, cancellationToken);
        var exported = export.Number("rows");
        steps.Done($"users.export: {exported} rows");

        var path = Path.Combine(folder, "exported.csv");
        using (var result = await session.Client.OpenResultAsync(export.Id, cancellationToken))
        {
            await DownloadCommand.SaveAsync(session, result, path, cancellationToken);
        }

        var downloaded = await CsvRow.CountAsync(path, cancellationToken) - 1;
        steps.Done($"{downloaded} rows downloaded to {path}");

        var statistics = await FinishAsync("users.statistics", new { }, cancellationToken);
        var numbers = new DemoNumbers
        {
            Rows = rows,
            Uploaded = file.Length,
            Imported = imported,
            Updated = updated,
            Skipped = skipped,
            Rejected = rejected,
            Exported = exported,
            Downloaded = downloaded,
            Users = statistics.Number("users"),
            Countries = statistics.Number("countries"),
            Months = statistics.Number("months"),
        };
        steps.Done($"users.statistics: {numbers.Users} users, {numbers.Countries} countries, {numbers.Months} months");
        return numbers;
    }

    private async Task<FinishedTask> FinishAsync<TParameters>(string kind, TParameters parameters, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new { kind, parameters });
        var submitted = await session.Client.SubmitAsync(body, idempotencyKey: null, cancellationToken);
        var task = (await TaskFollowing.FollowAsync(session, submitted.Value.Id, isReachable: true, cancellationToken)).Value;
        return task.HasSucceeded ? new FinishedTask(kind, task.Id, task.Result) : throw new TaskNotSucceededException(kind, task);
    }

    private sealed record FinishedTask(string Kind, Guid Id, JsonElement? Result)
    {
        public long Number(string name) =>
            Result is { ValueKind: JsonValueKind.Object } result
            && result.TryGetProperty(name, out var value)
            && value.ValueKind is JsonValueKind.Number
            && value.TryGetInt64(out var number)
                ? number
                : throw new ApiUnavailableException($"The result of {Kind} (task {Id}) has no number '{name}'.");
    }
}
