using System.Globalization;
using System.Text;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>The header row: the delimiter of the file and the positions of the mapped columns.</summary>
internal sealed record ImportHeader(char Delimiter, int ColumnCount, int ExternalId, int Name, int? Email, int? Country, int? SignedUpAt)
{
    private const int MaxColumnsInMessage = 30;
    private const int MaxNamesLength = 1000;

    private static readonly char[] DetectedDelimiters = [',', ';', '\t', '|'];

    /// <summary>The optional columns that the parameters map.</summary>
    public UserColumns OptionalColumns =>
        (Email is null ? UserColumns.None : UserColumns.Email)
        | (Country is null ? UserColumns.None : UserColumns.Country)
        | (SignedUpAt is null ? UserColumns.None : UserColumns.SignedUpAt);

    /// <summary>
    /// Reads the header at the reader's position and leaves the reader after it. If the parameters name no delimiter, it takes the one that a
    /// line such as <c>sep=;</c> before the header names, else the one that finds most of the mapped columns, and among equals the one that
    /// gives most columns.
    /// </summary>
    /// <exception cref="NonRetryableException">There is no header, or a mapped column is missing from it or appears twice.</exception>
    public static async Task<ImportHeader> ReadAsync(
        CsvRecordReader reader,
        ImportUsersParameters parameters,
        CancellationToken cancellationToken
    )
    {
        var named = await ReadSeparatorLineAsync(reader, cancellationToken);
        var (position, line) = (reader.Position, reader.Line);
        var mapped = MappedColumns(parameters.Columns);
        HeaderRow? best = null;
        foreach (var delimiter in Delimiters(parameters, named))
        {
            reader.GoTo(position, line);
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

    /// <summary>Reads the line <c>sep=;</c> by which a file tells Excel its delimiter, if there is one; else the reader stays where it is.</summary>
    private static async Task<char?> ReadSeparatorLineAsync(CsvRecordReader reader, CancellationToken cancellationToken)
    {
        var (position, line) = (reader.Position, reader.Line);
        if (await reader.ReadAsync(cancellationToken) is { Defect: null } record && Separator(record.Text.Span) is { } separator)
        {
            return separator;
        }

        reader.GoTo(position, line);
        return null;
    }

    private static char? Separator(ReadOnlySpan<char> text)
    {
        if (text is ['"', .. var quoted, '"'])
        {
            text = quoted;
        }

        // A program that saves the file again may have filled the line up to the number of columns.
        return
            text.StartsWith("sep=", StringComparison.OrdinalIgnoreCase)
            && text[4..] is [var separator, .. var rest]
            && CsvDelimiterAttribute.CanSeparate(separator)
            && !rest.ContainsAnyExcept(separator)
            ? separator
            : null;
    }

    private static char[] Delimiters(ImportUsersParameters parameters, char? named)
    {
        if (parameters.Delimiter is not { } given)
        {
            return named is { } delimiter ? [delimiter] : DetectedDelimiters;
        }

        return given.Length == 1 && CsvDelimiterAttribute.CanSeparate(given[0])
            ? [given[0]]
            : throw new NonRetryableException($"Parameter delimiter: {CsvDelimiterAttribute.Refusal}");
    }

    private static async Task<HeaderRow> ReadRowAsync(CsvRecordReader reader, CancellationToken cancellationToken)
    {
        if (await reader.ReadAsync(cancellationToken) is not { } record)
        {
            return new HeaderRow(reader, reader.Line, [], "The file is empty: there is no header row.");
        }

        if ((record.Defect ?? (record.Text.Span.Contains('\0') ? "contains NUL characters" : null)) is { } defect)
        {
            return new HeaderRow(
                reader,
                record.Line,
                [],
                $"The header row (line {record.Line}) cannot be read: {defect}. Is the file CSV, and is parameter encoding right? It was read as {reader.Encoding.Name}."
            );
        }

        var fields = new CsvFields(reader.Delimiter);
        fields.Read(record.Text);
        return new HeaderRow(reader, record.Line, [.. Enumerable.Range(0, fields.Count).Select(i => fields[i])], null);
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
            throw new NonRetryableException(
                $"Parameter columns.{field}: the header row (line {row.Line}) has no column {VisibleText.Quote(column)}. It has {Names(row.Columns)}."
            );
        }

        return Array.LastIndexOf(row.Columns, column) == index
            ? index
            : throw new NonRetryableException(
                $"Parameter columns.{field}: the header row (line {row.Line}) has column {VisibleText.Quote(column)} more than once."
            );
    }

    private static string Names(string[] columns)
    {
        var names = new StringBuilder();
        var count = 0;
        foreach (var column in columns.Take(MaxColumnsInMessage).TakeWhile(_ => names.Length < MaxNamesLength))
        {
            names.Append(count == 0 ? "" : ", ").Append(VisibleText.Quote(column));
            count++;
        }

        return count < columns.Length
            ? names.Append(CultureInfo.InvariantCulture, $" and {columns.Length - count:N0} more").ToString()
            : names.ToString();
    }

    private sealed class HeaderRow(CsvRecordReader reader, long line, string[] columns, string? defect)
    {
        public char Delimiter { get; } = reader.Delimiter;

        public long Line { get; } = line;

        public long EndPosition { get; } = reader.Position;

        public long EndLine { get; } = reader.Line;

        public string[] Columns { get; } = columns;

        public string? Defect { get; } = defect;

        public (int Found, int Columns) Rank(List<(string Field, string Column)> mapped) =>
            (mapped.Count(m => Columns.Contains(m.Column)), Columns.Length);
    }
}
