using System.Globalization;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>Makes a user of a record, or says why it cannot.</summary>
internal sealed class UserRowReader(ImportHeader header) : IDisposable
{
    // What every database that the platform runs on can store.
    private const int MinYear = 1000;

    private static readonly string[] DateFormats =
    [
        "yyyy-MM-dd",
        "yyyy-MM-ddTHH:mm:ss.FFFFFFFK",
        "yyyy-MM-dd HH:mm:ss.FFFFFFFK",
        "yyyy-MM-ddTHH:mmK",
        "yyyy-MM-dd HH:mmK",
    ];

    private readonly CsvFields fields = new(header.Delimiter);
    private string? defect;

    /// <summary>Reads a record.</summary>
    /// <returns>Why it is rejected; null when <paramref name="user"/> is good.</returns>
    public string? Read(CsvRecord record, out UserRow user)
    {
        user = default;
        defect = record.Defect ?? fields.Read(record.Text);
        if (defect is null && fields.Count != header.ColumnCount)
        {
            defect = $"has {fields.Count} fields where the header has {header.ColumnCount}";
        }

        if (defect is not null)
        {
            return defect;
        }

        user = new UserRow(
            Required(header.ExternalId, "externalId", User.MaxExternalIdLength),
            Required(header.Name, "name", User.MaxNameLength),
            Optional(header.Email, "email", User.MaxEmailLength),
            Optional(header.Country, "country", User.MaxCountryLength),
            Time(header.SignedUpAt, "signedUpAt")
        );
        return defect;
    }

    public void Dispose() => fields.Dispose();

    private string Required(int index, string field, int maxLength)
    {
        var value = fields[index];
        if (string.IsNullOrWhiteSpace(value))
        {
            defect ??= $"{field} is missing";
        }

        return Checked(value, field, maxLength);
    }

    private string? Optional(int? index, string field, int maxLength) =>
        index is { } i && fields[i] is { Length: > 0 } value ? Checked(value, field, maxLength) : null;

    private string Checked(string value, string field, int maxLength)
    {
        if (value.Contains('\0'))
        {
            defect ??= $"{field} contains a NUL character";
        }
        else if (value.Length > maxLength && CodePoints(value) > maxLength)
        {
            defect ??= $"{field} is longer than {maxLength} characters";
        }

        return value;
    }

    private DateTime? Time(int? index, string field)
    {
        if (index is not { } i || fields[i] is not { Length: > 0 } value)
        {
            return null;
        }

        const DateTimeStyles styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (!DateTime.TryParseExact(value, DateFormats, CultureInfo.InvariantCulture, styles, out var time) || time.Year < MinYear)
        {
            defect ??= $"{field} is not an ISO 8601 date or time of the years {MinYear} to 9999";
        }

        // The database keeps microseconds.
        return new DateTime(time.Ticks - (time.Ticks % TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc);
    }

    // The database counts code points, not UTF-16 units.
    private static int CodePoints(string value)
    {
        var lowSurrogates = 0;
        foreach (var c in value)
        {
            lowSurrogates += char.IsLowSurrogate(c) ? 1 : 0;
        }

        return value.Length - lowSurrogates;
    }
}
