namespace Platform.Worker.Kinds.UsersImport;

/// <summary>One record of the file. Its text is valid until the next record is read.</summary>
/// <param name="Line">The number of the line where the record begins; the first line of the file is 1.</param>
/// <param name="Text">The text of the record, without its final line break.</param>
/// <param name="Defect">Why the record cannot be parsed; null when it can.</param>
internal readonly record struct CsvRecord(long Line, ReadOnlyMemory<char> Text, string? Defect);
