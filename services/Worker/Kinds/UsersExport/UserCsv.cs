using System.Globalization;
using System.Text;
using CsvHelper;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersExport;

/// <summary>Writes users as CSV (RFC 4180, UTF-8 without byte order mark) that the import can read back.</summary>
internal static class UserCsv
{
    /// <summary>The header row.</summary>
    public static byte[] Header() =>
        Write(csv =>
        {
            csv.WriteField("externalId");
            csv.WriteField("name");
            csv.WriteField("email");
            csv.WriteField("country");
            csv.WriteField("signedUpAt");
            csv.NextRecord();
        });

    /// <summary>
    /// Writes one row per user. Values are written unchanged, even those that a spreadsheet program would take for a formula, unless the file is
    /// made for one.
    /// </summary>
    public static byte[] Rows(IEnumerable<User> users, bool forSpreadsheet) =>
        Write(csv =>
        {
            foreach (var user in users)
            {
                csv.WriteField(Text(user.ExternalId));
                csv.WriteField(Text(user.Name));
                csv.WriteField(Text(user.Email));
                csv.WriteField(Text(user.Country));
                csv.WriteField(user.SignedUpAt?.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture));
                csv.NextRecord();
            }

            string? Text(string? value) => forSpreadsheet ? SpreadsheetCell.Guard(value) : value;
        });

    private static byte[] Write(Action<CsvWriter> write)
    {
        using var text = new StringWriter();
        using var csv = new CsvWriter(text, CultureInfo.InvariantCulture);
        write(csv);
        csv.Flush();
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
