using Platform.Cli.Api;
using Spectre.Console;

namespace Platform.Cli.Terminal;

/// <summary>Writes keys as rows.</summary>
internal static class ApiKeyTable
{
    private const int StateColumn = 4;

    /// <param name="terminal">Where to write.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="now">Tells which keys have ended.</param>
    public static void Write(CliTerminal terminal, IReadOnlyList<ApiKeyDescription> keys, DateTimeOffset now)
    {
        string[] titles = ["id", "name", "roles", "tenant", "state", "last used"];
        var rows = keys.Select(key =>
                new[]
                {
                    key.Id,
                    key.Name,
                    string.Join(',', key.Roles),
                    key.Tenant ?? "-",
                    State(key, now),
                    key.LastUsedAt is null ? "never" : Figures.Time(key.LastUsedAt),
                }
            )
            .ToList();
        var widths = titles
            .SkipLast(1)
            .Select((title, i) => rows.Select(row => TerminalText.Line(row[i]).Length).Append(title.Length).Max());
        var table = new TextTable(terminal, [.. widths]);
        table.WriteRow(titles);
        foreach (var row in rows)
        {
            table.WriteRow(row, StateColumn, Style(row[StateColumn]));
        }
    }

    private static string State(ApiKeyDescription key, DateTimeOffset now) =>
        key.RevokedAt is not null ? "revoked"
        : key.ExpiresAt <= now ? "ended"
        : "active";

    private static Style? Style(string state) =>
        state switch
        {
            "active" => new Style(Color.Green),
            "revoked" => new Style(Color.Red),
            _ => new Style(Color.Yellow),
        };
}
