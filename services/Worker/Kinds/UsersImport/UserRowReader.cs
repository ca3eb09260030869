using Platform.Contracts;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>Makes a user from a record, or says why it cannot.</summary>
internal sealed class UserRowReader(ImportHeader header)
{
    // The first year that every database of the platform can store.
    private const int MinYear = 1000;

    private readonly CsvFields fields = new(header.Delimiter);
    private string? defect;

    /// <summary>Reads a record.</summary>
    /// <returns>Why the record is rejected; null when <paramref name="user"/> is valid.</returns>
    public string? Read(CsvRecord record, out UserRow user)
    {
        user = default;
        if (record.Defect is not null)
        {
            return record.Defect;
        }

        fields.Read(record.Text);
        if (fields.Count != header.ColumnCount)
        {
            return $"has {fields.Count} fields where the header has {header.ColumnCount}";
        }

        defect = null;

        user = new UserRow(
            Required(header.ExternalId, "externalId", User.MaxExternalIdLength),
            Required(header.Name, "name", User.MaxNameLength),
            Optional(header.Email, "email", User.MaxEmailLength),
            Optional(header.Country, "country", User.MaxCountryLength),
            Time(header.SignedUpAt, "signedUpAt")
        );
        return defect;
    }

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

        if (!UtcTime.TryParse(value, out var time))
        {
            defect ??=
                $"{field} is not a time that exists in a form that is read: 2024-01-31, 2024-01-31T23:59 or 2024-01-31T23:59:58.123456, with an offset such as Z or +02:00, or without one in UTC";
        }
        else if (time.Year < MinYear)
        {
            defect ??= $"{field} is before the year {MinYear} in UTC";
        }

        // The database stores microseconds.
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
