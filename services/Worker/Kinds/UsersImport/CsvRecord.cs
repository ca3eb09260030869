namespace Platform.Worker.Kinds.UsersImport;

/// <summary>One record of the file. Its text is valid until the next one is read.</summary>
/// <param name="Line">Number of the line where it begins; the first line of the file is 1.</param>
/// <param name="Text">The text, without the line break that ends it.</param>
/// <param name="Defect">Why it cannot be parsed; null when it can.</param>
internal readonly record struct CsvRecord(long Line, ReadOnlyMemory<char> Text, string? Defect);
