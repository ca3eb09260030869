using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>
/// Imports users from a CSV file in batches. Each batch is one checkpoint: its users, its rejected rows and the byte offset of the next
/// batch commit together. So wherever an attempt is cut off, the next one goes on at the first byte of a record.
/// </summary>
public sealed class ImportUsers(IFileStore files) : HeavyTaskHandler<ImportUsersParameters>
{
    /// <inheritdoc />
    public override async Task RunAsync(HeavyTaskContext<ImportUsersParameters> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var fileId = context.Parameters.FileId;
        var file =
            await files.FindAsync(fileId, context.TenantId, context.CancellationToken)
            ?? throw new NonRetryableException($"Parameter fileId: there is no file {fileId}, or its upload is not finished.");
        try
        {
            await ImportAsync(context, file);
        }
        catch (FileNotFoundException exception)
        {
            throw new NonRetryableException($"Parameter fileId: file {fileId} was deleted while it was imported.", exception);
        }
    }

    private async Task ImportAsync(HeavyTaskContext<ImportUsersParameters> context, StoredFile file)
    {
        var cancellationToken = context.CancellationToken;
        await using var content = files.OpenRead(file);
        var reader = await CsvRecordReader.OpenAsync(content, context.Parameters.Encoding, cancellationToken);
        var header = await ImportHeader.ReadAsync(reader, context.Parameters, cancellationToken);
        var rows = new UserRowReader(header);
        var rejectedRows = new RejectedRows(context, context.Parameters.Spreadsheet);
        var state = context.GetCheckpoint<ImportUsersState>();
        if (state is null)
        {
            state = new ImportUsersState(reader.Position, reader.Line, 0, 0, 0, 0);
            context.Log($"Reads {file.Name}, {file.Length:N0} bytes.");
        }
        else
        {
            reader.GoTo(state.Position, state.Line);
            context.Log($"Goes on at line {state.Line:N0}, after {state.Rows:N0} rows.");
            if (state.Rejected > 0)
            {
                await rejectedRows.ResumeAsync();
            }
        }

        var writer = new UserBulkWriter(context.TenantId);
        var batch = new ImportBatch(context.Parameters.OnExisting);
        while (await batch.ReadAsync(reader, rows, cancellationToken))
        {
            await rejectedRows.WriteAsync(batch.Rejected, state.Rejected);
            context.ReportProgress(reader.Position, file.Length, $"{state.Rows:N0} rows, {state.Rejected:N0} of them rejected");
            if (state.Rejected == 0 && batch.Rejected.Count > 0)
            {
                context.Log("Some rows are rejected; rejected.csv says why.", LogLevel.Warning);
            }

            state = await CommitAsync(context, writer, batch, header, state, reader);
        }

        context.ReportProgress(file.Length, file.Length, $"{state.Rows:N0} rows, {state.Rejected:N0} of them rejected");
        context.SetResult(new ImportUsersResult(state.Rows, state.Imported, state.Updated, state.Skipped, state.Rejected));
    }

    private static Task<ImportUsersState> CommitAsync(
        HeavyTaskContext<ImportUsersParameters> context,
        UserBulkWriter writer,
        ImportBatch batch,
        ImportHeader header,
        ImportUsersState state,
        CsvRecordReader reader
    )
    {
        var onExisting = context.Parameters.OnExisting;
        return context.CheckpointAsync(
            async (db, cancellationToken) =>
            {
                var written = await writer.WriteAsync(db, batch.Users, onExisting, header.OptionalColumns, cancellationToken);
                if (written.FirstExisting is { } index)
                {
                    throw Existing(batch.Users[index].ExternalId, batch.LineOf(index));
                }

                if (batch.Failure is { } failure)
                {
                    throw Existing(failure.ExternalId, failure.Line);
                }

                var existing = written.Existing + batch.Repeated;
                return new ImportUsersState(
                    reader.Position,
                    reader.Line,
                    state.Imported + written.Inserted,
                    state.Updated + (onExisting == ExistingUser.Update ? existing : 0),
                    state.Skipped + (onExisting == ExistingUser.Skip ? existing : 0),
                    state.Rejected + batch.Rejected.Count
                );
            }
        );
    }

    private static NonRetryableException Existing(string externalId, long line) =>
        new(
            $"Line {line}: a user with externalId {VisibleText.Quote(externalId)} exists already, and parameter onExisting is Fail. Batches before it were imported."
        );
}

/// <summary>The checkpoint of an import: everything before <paramref name="Position"/> is done, and nothing after it.</summary>
/// <param name="Position">The byte offset of the next record.</param>
/// <param name="Line">The line number of the next record.</param>
/// <param name="Imported">New users so far.</param>
/// <param name="Updated">Existing users that were updated so far.</param>
/// <param name="Skipped">Existing users that were left alone so far.</param>
/// <param name="Rejected">Records in rejected.csv so far.</param>
internal sealed record ImportUsersState(long Position, long Line, long Imported, long Updated, long Skipped, long Rejected)
{
    /// <summary>The number of records so far.</summary>
    [JsonIgnore]
    public long Rows => Imported + Updated + Skipped + Rejected;
}

/// <summary>What an import did. <paramref name="Rows"/> is the sum of the other numbers.</summary>
/// <param name="Rows">Records in the file, without the header and empty lines.</param>
/// <param name="Imported">Rows with new users.</param>
/// <param name="Updated">Rows whose user existed and was updated.</param>
/// <param name="Skipped">Rows whose user existed and was left alone.</param>
/// <param name="Rejected">Rows in rejected.csv.</param>
internal sealed record ImportUsersResult(long Rows, long Imported, long Updated, long Skipped, long Rejected);
