using System.Data.Common;

namespace Platform.HeavyTasks;

/// <summary>Reads the rows that <see cref="SessionStatements"/> return.</summary>
internal static class IdleSessions
{
    /// <param name="command">The statement.</param>
    /// <param name="own">The driver's number of the session that asks.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<IReadOnlyDictionary<long, TimeSpan?>> ReadAsync(
        DbCommand command,
        long own,
        CancellationToken cancellationToken
    )
    {
        var found = new Dictionary<long, TimeSpan?>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (reader.GetInt64(0) != own)
            {
                return new Dictionary<long, TimeSpan?>();
            }

            found[reader.GetInt64(1)] = reader.GetBoolean(2) ? TimeSpan.FromSeconds(Math.Max(0, reader.GetDouble(3))) : null;
        }

        return found;
    }
}
