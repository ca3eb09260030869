using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>The header row: the delimiter of the file and where the mapped columns stand in it.</summary>
internal sealed record ImportHeader(char Delimiter, int ColumnCount, int ExternalId, int Name, int? Email, int? Country, int? SignedUpAt)
{
    private const int MaxColumnsInMessage = 30;

    private static readonly char[] DetectedDelimiters = [',', ';', '\t', '|'];

    /// <summary>The optional columns that are mapped.</summary>
    public UserColumns OptionalColumns =>
        (Email is null ? UserColumns.None : UserColumns.Email)
        | (Country is null ? UserColumns.None : UserColumns.Country)
        | (SignedUpAt is null ? UserColumns.None : UserColumns.SignedUpAt);

    /// <summary>
    /// Reads the header at the reader's position and leaves the reader after it. Without a delimiter in the parameters, the one that
    /// finds most of the mapped columns is taken, and of those the one that makes most columns.
    /// </summary>
    /// <exception cref="NonRetryableException">There is no header, or a mapped column is not in it, or twice.</exception>
    public static async Task<ImportHeader> ReadAsync(
        CsvRecordReader reader,
        ImportUsersParameters parameters,
        CancellationToken cancellationToken
    )
    {
        var position = reader.Position;
        var mapped = MappedColumns(parameters.Columns);
        HeaderRow? best = null;
        foreach (var delimiter in Delimiters(parameters))
        {
            reader.GoTo(position, 1);
            reader.Delimiter = delimiter;
            var row = await ReadRowAsync(reader, cancellationToken);
            if (best is null || row.Rank(mapped).CompareTo(best.Rank(mapped)) > 0)
            {
                best = row;
            }
        }

        if (best!.Defect is { } defect)
        {
            throw new NonRetryableException(defect);
        }

        reader.Delimiter = best.Delimiter;
        reader.GoTo(best.EndPosition, best.EndLine);
        var indexes = mapped.ToDictionary(m => m.Field, m => IndexOf(best, m.Field, m.Column));
        return new ImportHeader(
            best.Delimiter,
            best.Columns.Length,
            indexes["externalId"],
            indexes["name"],
            indexes.TryGetValue("email", out var email) ? email : null,
            indexes.TryGetValue("country", out var country) ? country : null,
            indexes.TryGetValue("signedUpAt", out var signedUpAt) ? signedUpAt : null
        );
    }

    private static char[] Delimiters(ImportUsersParameters parameters)
    {
        if (parameters.Delimiter is not { } given)
        {
            return DetectedDelimiters;
        }

        return given.Length == 1 && given[0] is not ('"' or '\r' or '\n' or '\0')
            ? [given[0]]
            : throw new NonRetryableException("Parameter delimiter: must be one character, and not a quote or a line break.");
    }

    private static async Task<HeaderRow> ReadRowAsync(CsvRecordReader reader, CancellationToken cancellationToken)
    {
        if (await reader.ReadAsync(cancellationToken) is not { } record)
        {
            return new HeaderRow(reader, [], "The file is empty: there is no header row.");
        }

        if (record.Defect is not null || record.Text.Span.Contains('\0'))
        {
            return new HeaderRow(
                reader,
                [],
                $"The header row (line {record.Line}) {record.Defect ?? "contains NUL characters"}. Is the file CSV, and is parameter encoding right? It was read as {reader.Encoding.Name}."
            );
        }

        using var fields = new CsvFields(reader.Delimiter);
        if (fields.Read(record.Text) is { } defect)
        {
            return new HeaderRow(reader, [], $"The header row (line {record.Line}) cannot be read: {defect}.");
        }

        var columns = Enumerable.Range(0, fields.Count).Select(i => fields[i]).ToArray();

        // A byte order mark of an encoding that has none by convention, or a second one.
        columns[0] = columns[0].TrimStart('\uFEFF');
        return new HeaderRow(reader, columns, null);
    }

    private static List<(string Field, string Column)> MappedColumns(ImportUsersColumns columns)
    {
        (string Field, string? Column)[] all =
        [
            ("externalId", columns.ExternalId),
            ("name", columns.Name),
            ("email", columns.Email),
            ("country", columns.Country),
            ("signedUpAt", columns.SignedUpAt),
        ];
        return [.. all.Where(c => c.Column is not null).Select(c => (c.Field, c.Column!))];
    }

    private static int IndexOf(HeaderRow row, string field, string column)
    {
        var index = Array.IndexOf(row.Columns, column);
        if (index < 0)
        {
            var found = string.Join(", ", row.Columns.Take(MaxColumnsInMessage).Select(c => $"'{c}'"));
            var more = row.Columns.Length > MaxColumnsInMessage ? $" and {row.Columns.Length - MaxColumnsInMessage} more" : "";
            throw new NonRetryableException($"Parameter columns.{field}: the header row has no column '{column}'. It has {found}{more}.");
        }

        return Array.LastIndexOf(row.Columns, column) == index
            ? index
            : throw new NonRetryableException($"Parameter columns.{field}: the header row has column '{column}' more than once.");
    }

    private sealed class HeaderRow(CsvRecordReader reader, string[] columns, string? defect)
    {
        public char Delimiter { get; } = reader.Delimiter;

        public long EndPosition { get; } = reader.Position;

        public long EndLine { get; } = reader.Line;

        public string[] Columns { get; } = columns;

        public string? Defect { get; } = defect;

        public (int Found, int Columns) Rank(List<(string Field, string Column)> mapped) =>
            (mapped.Count(m => Columns.Contains(m.Column)), Columns.Length);
    }
}
