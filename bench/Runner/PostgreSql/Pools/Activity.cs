using Npgsql;

namespace Platform.Runner.Pools;

/// <summary>Reads pg_stat_activity every 200 ms: how many connections each application holds, and how many of them do something.</summary>
internal sealed class Activity(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>The name of the measurement's own connections. Connections of services have the services' names.</summary>
    public const string OwnName = "bench-runner";

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    /// <summary>Samples until told to stop. Times are seconds from <paramref name="start"/>.</summary>
    public async Task<List<ActivitySample>> SampleAsync(long start, CancellationToken stop)
    {
        var samples = new List<ActivitySample>();
        using var timer = new PeriodicTimer(Interval, time);
        await using var connection = await database.OpenConnectionAsync(CancellationToken.None);
        await using var command = new NpgsqlCommand(
            $"""
            SELECT application_name, count(*)::int, (count(*) FILTER (WHERE state <> 'idle'))::int FROM pg_stat_activity
            WHERE datname = current_database() AND application_name NOT IN ('{OwnName}', '') AND backend_type = 'client backend' GROUP BY 1
            """,
            connection
        );
        while (!stop.IsCancellationRequested)
        {
            var at = time.GetElapsedTime(start).TotalSeconds;
            await using (var reader = await command.ExecuteReaderAsync(CancellationToken.None))
            {
                while (await reader.ReadAsync(CancellationToken.None))
                {
                    samples.Add(new ActivitySample(Math.Round(at, 2), reader.GetString(0), reader.GetInt32(1), reader.GetInt32(2)));
                }
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        return samples;
    }

    /// <summary>Waits until the connections of an ended process are gone.</summary>
    public async Task AwaitNoneAsync(params string[] applications)
    {
        await using var command = database.CreateCommand(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = ANY ($1)"
        );
        command.Parameters.Add(new NpgsqlParameter { Value = applications });
        await Patience.WaitAsync(
            async () => (long)(await command.ExecuteScalarAsync())! == 0,
            "end of connections",
            Patience.ProcessLimit,
            Interval
        );
    }
}

/// <param name="At">The time in seconds.</param>
/// <param name="Application">The application name.</param>
/// <param name="Open">How many connections are open.</param>
/// <param name="Busy">How many of these run a statement or are in a transaction.</param>
internal sealed record ActivitySample(double At, string Application, int Open, int Busy);
