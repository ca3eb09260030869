using System.Globalization;
using System.Text;
using CsvHelper;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersExport;

/// <summary>Users as CSV (RFC 4180, UTF-8 without byte order mark), as the import reads it back.</summary>
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

    /// <summary>One row per user. Values stand as they are, also those that a spreadsheet would take for a formula.</summary>
    public static byte[] Rows(IEnumerable<User> users) =>
        Write(csv =>
        {
            foreach (var user in users)
            {
                csv.WriteField(user.ExternalId);
                csv.WriteField(user.Name);
                csv.WriteField(user.Email);
                csv.WriteField(user.Country);
                csv.WriteField(user.SignedUpAt?.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture));
                csv.NextRecord();
            }
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
