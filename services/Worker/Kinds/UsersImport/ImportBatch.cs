using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>The records between two checkpoints. The object is reused for each batch, because its lists are large.</summary>
internal sealed class ImportBatch(ExistingUser onExisting)
{
    private const int MaxUsers = 5000;

    // Rejected records are only appended to a file, so a file full of them is not slower than one of users.
    private const int MaxRejected = 50_000;
    private const int MaxBytes = 4 * 1024 * 1024;

    private readonly Dictionary<string, int> indexes = new(StringComparer.Ordinal);
    private readonly List<UserRow> users = [];
    private readonly List<long> lines = [];
    private readonly List<RejectedRow> rejected = [];

    /// <summary>The users to write; no external id appears twice.</summary>
    public IReadOnlyList<UserRow> Users => users;

    /// <summary>The records that are not valid users.</summary>
    public IReadOnlyList<RejectedRow> Rejected => rejected;

    /// <summary>How many records repeat a user of this batch.</summary>
    public int Repeated { get; private set; }

    /// <summary>Where <see cref="ExistingUser.Fail"/> met a repeated user; the batch ends before that record.</summary>
    public (string ExternalId, long Line)? Failure { get; private set; }

    /// <summary>The line of a user in <see cref="Users"/>.</summary>
    public long LineOf(int index) => lines[index];

    /// <summary>Clears the batch, then reads records until it is full or the file ends.</summary>
    /// <returns>Whether anything was read.</returns>
    public async Task<bool> ReadAsync(CsvRecordReader reader, UserRowReader rows, CancellationToken cancellationToken)
    {
        Clear();
        var begin = reader.Position;
        while (users.Count + Repeated < MaxUsers && rejected.Count < MaxRejected && reader.Position - begin < MaxBytes && Failure is null)
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

    // When its second row comes, a repeated external id counts as an existing user.
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
