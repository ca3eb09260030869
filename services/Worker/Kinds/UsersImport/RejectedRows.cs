using System.Globalization;
using System.Text;
using CsvHelper;
using Platform.HeavyTasks;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>
/// The result file <c>rejected.csv</c>: line, reason, and the record as it stood in the file, so that it can be mended and imported
/// again. Nothing is changed in it, not even what a spreadsheet would take for a formula.
/// </summary>
internal sealed class RejectedRows(HeavyTaskContext context)
{
    private Stream? file;

    /// <summary>Opens the file of an earlier attempt.</summary>
    public async Task ResumeAsync() => file = await OpenAsync();

    /// <summary>Appends rows; they are kept with the next checkpoint.</summary>
    public async Task WriteAsync(IReadOnlyCollection<RejectedRow> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        var text = new StringWriter();
        await using var csv = new CsvWriter(text, CultureInfo.InvariantCulture);
        if (file is null)
        {
            file = await OpenAsync();
            csv.WriteField("line");
            csv.WriteField("reason");
            csv.WriteField("row");
            await csv.NextRecordAsync();
        }

        foreach (var row in rows)
        {
            csv.WriteField(row.Line);
            csv.WriteField(row.Reason);
            csv.WriteField(row.Text);
            await csv.NextRecordAsync();
        }

        await csv.FlushAsync();
        await file.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), context.CancellationToken);
    }

    private Task<Stream> OpenAsync() => context.OpenResultFileAsync("rejected.csv", "text/csv");
}

/// <summary>One rejected record.</summary>
/// <param name="Line">Line where it begins.</param>
/// <param name="Reason">Why it was rejected.</param>
/// <param name="Text">The record as it stood in the file.</param>
internal sealed record RejectedRow(long Line, string Reason, string Text);
