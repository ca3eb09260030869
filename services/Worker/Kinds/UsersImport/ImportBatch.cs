using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>The records between two checkpoints. Used again for the next ones: its lists are large.</summary>
internal sealed class ImportBatch(ExistingUser onExisting)
{
    private const int MaxRecords = 5000;
    private const int MaxBytes = 4 * 1024 * 1024;

    private readonly Dictionary<string, int> indexes = new(StringComparer.Ordinal);
    private readonly List<UserRow> users = [];
    private readonly List<long> lines = [];
    private readonly List<RejectedRow> rejected = [];

    /// <summary>The users to write, no external id twice.</summary>
    public IReadOnlyList<UserRow> Users => users;

    /// <summary>The records that are no users.</summary>
    public IReadOnlyList<RejectedRow> Rejected => rejected;

    /// <summary>Records whose user an earlier record of this batch brought.</summary>
    public int Repeated { get; private set; }

    /// <summary>Where <see cref="ExistingUser.Fail"/> met a repeated user; the batch ends before it.</summary>
    public (string ExternalId, long Line)? Failure { get; private set; }

    /// <summary>Line of a user of <see cref="Users"/>.</summary>
    public long LineOf(int index) => lines[index];

    /// <summary>Forgets what it holds and reads records until it is full or the file ends.</summary>
    /// <returns>Whether anything was read.</returns>
    public async Task<bool> ReadAsync(CsvRecordReader reader, UserRowReader rows, CancellationToken cancellationToken)
    {
        Clear();
        var begin = reader.Position;
        while (users.Count + Repeated + rejected.Count < MaxRecords && reader.Position - begin < MaxBytes && Failure is null)
        {
            if (await reader.ReadAsync(cancellationToken) is not { } record)
            {
                break;
            }

            if (rows.Read(record, out var user) is { } reason)
            {
                rejected.Add(new RejectedRow(record.Line, reason, record.Text.ToString()));
            }
            else
            {
                Add(user, record.Line);
            }
        }

        return reader.Position > begin;
    }

    private void Clear()
    {
        indexes.Clear();
        users.Clear();
        lines.Clear();
        rejected.Clear();
        Repeated = 0;
        Failure = null;
    }

    // A repeated external id is an existing user by the time its second row comes.
    private void Add(UserRow user, long line)
    {
        if (indexes.TryAdd(user.ExternalId, users.Count))
        {
            users.Add(user);
            lines.Add(line);
        }
        else if (onExisting == ExistingUser.Fail)
        {
            Failure = (user.ExternalId, line);
        }
        else
        {
            Repeated++;
            if (onExisting == ExistingUser.Update)
            {
                users[indexes[user.ExternalId]] = user;
            }
        }
    }
}
