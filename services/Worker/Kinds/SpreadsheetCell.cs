namespace Platform.Worker.Kinds;

/// <summary>Makes a value safe to open in a spreadsheet program, which takes a cell for a formula if it begins in a certain way.</summary>
internal static class SpreadsheetCell
{
    // Programs also accept the full-width forms of the signs. Tabs and line breaks are passed over before a sign is looked for.
    private const string FormulaStarts = "=+-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20";

    /// <summary>The value with an apostrophe before it if it would be taken for a formula, else the value.</summary>
    public static string? Guard(string? value) =>
        value is [var first, ..] && FormulaStarts.Contains(first, StringComparison.Ordinal) ? $"'{value}" : value;
}
