using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>
/// Imports users from a CSV file in batches. Each batch is one checkpoint: its users, its rejected rows and the byte offset where the
/// next batch begins commit together, so an attempt that is cut off anywhere is followed by one that goes on at a record's first byte.
/// </summary>
public sealed class ImportUsers(IFileStore files) : HeavyTaskHandler<ImportUsersParameters>
{
    /// <inheritdoc />
    public override async Task RunAsync(HeavyTaskContext<ImportUsersParameters> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var fileId = context.Parameters.FileId;
        var file =
            await files.FindAsync(fileId, context.CancellationToken)
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
        using var rows = new UserRowReader(header);
        var rejectedRows = new RejectedRows(context);
        var state = context.GetCheckpoint<ImportUsersState>();
        if (state is null)
        {
            state = new ImportUsersState(reader.Position, reader.Line, 0, 0, 0, 0);
        }
        else
        {
            reader.GoTo(state.Position, state.Line);
            if (state.Rejected > 0)
            {
                await rejectedRows.ResumeAsync();
            }
        }

        var writer = new UserBulkWriter();
        var batch = new ImportBatch(context.Parameters.OnExisting);
        while (await batch.ReadAsync(reader, rows, cancellationToken))
        {
            await rejectedRows.WriteAsync(batch.Rejected);
            context.ReportProgress(reader.Position, file.Length, $"{state.Rows:N0} rows, {state.Rejected:N0} of them rejected");
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
            $"Line {line}: a user with externalId '{externalId}' exists already, and parameter onExisting is Fail. Batches before it were imported."
        );
}
