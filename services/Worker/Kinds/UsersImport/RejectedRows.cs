using System.Globalization;
using System.Text;
using CsvHelper;
using Platform.HeavyTasks;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>
/// The result file <c>rejected.csv</c>: line, reason, and the record as it was in the file, so that people can correct it and import it
/// again. The record is written unchanged, even if a spreadsheet program would take it for a formula, unless the file is made for one.
/// </summary>
internal sealed class RejectedRows(HeavyTaskContext context, bool forSpreadsheet)
{
    /// <summary>
    /// How many rows the file lists. More are only counted: nobody corrects them by hand, and a file of nothing but bad rows would make a result
    /// many times as long as itself.
    /// </summary>
    public const int MaxListed = 1_000_000;

    private ResultFile? file;

    /// <summary>Opens the file that an earlier attempt began.</summary>
    public async Task ResumeAsync() => file = await OpenAsync();

    /// <summary>Appends rows. The next checkpoint makes them permanent.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="rejectedBefore">How many rows were rejected before them.</param>
    public async Task WriteAsync(IReadOnlyList<RejectedRow> rows, long rejectedBefore)
    {
        if (rows.Count == 0 || rejectedBefore > MaxListed)
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

        var listed = (int)Math.Min(rows.Count, MaxListed - rejectedBefore);
        foreach (var row in rows.Take(listed))
        {
            await WriteRowAsync(csv, row);
        }

        if (listed < rows.Count)
        {
            await WriteRowAsync(
                csv,
                new RejectedRow(
                    rows[listed].Line,
                    $"more than {MaxListed:N0} rows are rejected; from this line on they are only counted",
                    ""
                )
            );
        }

        await csv.FlushAsync();
        await file.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), context.CancellationToken);
    }

    private Task WriteRowAsync(CsvWriter csv, RejectedRow row)
    {
        csv.WriteField(row.Line);
        csv.WriteField(row.Reason);
        csv.WriteField(forSpreadsheet ? SpreadsheetCell.Guard(row.Text) : row.Text);
        return csv.NextRecordAsync();
    }

    private Task<ResultFile> OpenAsync() => context.OpenResultFileAsync("rejected.csv", "text/csv");
}

/// <summary>One rejected record.</summary>
/// <param name="Line">The number of the line where the record begins.</param>
/// <param name="Reason">Why the record was rejected.</param>
/// <param name="Text">The record as it was in the file.</param>
internal sealed record RejectedRow(long Line, string Reason, string Text);
