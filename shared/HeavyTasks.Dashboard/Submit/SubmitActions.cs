using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Components.Forms;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Uploads files and submits tasks from a page, as the endpoints do. Each action asks by itself whether the client may.</summary>
internal sealed class SubmitActions(
    Viewer viewer,
    KnownKinds kinds,
    GroupCommit commit,
    IFileStore files,
    FileTransfers transfers,
    ClientLimits limits,
    WaitingTasks waiting,
    IOptions<SubmitHeavyTaskOptions> submitOptions,
    IOptions<FileUploadOptions> fileOptions,
    IServiceScopeFactory scopes,
    TimeProvider time
)
{
    /// <summary>The kinds that can be submitted.</summary>
    public ValueTask<IReadOnlyList<AcceptedKind>> ListKindsAsync() => kinds.ListAsync(CancellationToken.None);

    /// <summary>The parameters and the kind of a task that the client reaches; null when there is none.</summary>
    public async Task<(string Kind, string Parameters)?> FindAsync(Guid id)
    {
        if (!await viewer.SeesPayloadsAsync())
        {
            return null;
        }

        var tenant = await viewer.GetTenantAsync();
        await using var scope = scopes.CreateAsyncScope();
        var found = await scope
            .ServiceProvider.GetRequiredService<EngineContext>()
            .Db.HeavyTasks.Of(tenant)
            .Where(t => t.Id == id)
            .Select(t => new { t.Kind, t.Parameters })
            .SingleOrDefaultAsync();
        return found is null ? null : (found.Kind, found.Parameters);
    }

    /// <summary>Stores a file.</summary>
    /// <exception cref="UploadRefusedException">The file is refused.</exception>
    public async Task<StoredFile> UploadAsync(IBrowserFile file, Action<long> progress, CancellationToken cancellationToken)
    {
        await viewer.DemandAsync(HeavyTaskPolicies.Submit, "UploadFile", "");
        var maxLength = fileOptions.Value.MaxLength;
        if (file.Size > maxLength)
        {
            throw new UploadRefusedException($"A file may have at most {Show.Bytes(maxLength)}.");
        }

        if (!UploadFile.IsFileName(file.Name))
        {
            throw new UploadRefusedException("The name of the file has characters that cannot be stored, or is too long.");
        }

        var user = await viewer.GetUserAsync();
        using var mine = limits.BeginUpload(user);
        using var transfer = await transfers.TryBeginUploadAsync(cancellationToken);
        if (mine is { IsAcquired: false } || transfer is null)
        {
            throw new UploadRefusedException("Too many files are transferred at the moment. Try again.");
        }

        var type = UploadFile.IsMediaType(file.ContentType) ? file.ContentType : "application/octet-stream";
        await using var content = new CountedStream(
            file.OpenReadStream(maxLength, cancellationToken),
            progress,
            async () =>
            {
                if (!await viewer.MayAsync(HeavyTaskPolicies.Submit))
                {
                    throw new UploadRefusedException("The key of this session is not valid any more.");
                }
            },
            time
        );
        return await files.UploadAsync(file.Name, type, await viewer.GetTenantAsync(), content, maxLength, cancellationToken);
    }

    /// <summary>Submits a task; its id, or null when something was added to <paramref name="errors"/>.</summary>
    public async Task<Guid?> SubmitAsync(
        string kindName,
        string parameters,
        DateTime? dueAt,
        IReadOnlyList<string> tags,
        FieldErrors errors
    )
    {
        await viewer.DemandAsync(HeavyTaskPolicies.Submit, "SubmitHeavyTask", "");
        var now = time.GetUtcNow().UtcDateTime;
        if (dueAt > now.AddYears(1))
        {
            errors.Add("dueAt", "At most a year ahead.");
        }

        if (tags.Count > HeavyTask.MaxTags)
        {
            errors.Add("tags", $"At most {HeavyTask.MaxTags}.");
        }
        else if (!tags.All(HeavyTaskTag.IsTag))
        {
            errors.Add("tags", HeavyTaskTag.Expected);
        }

        if (Encoding.UTF8.GetByteCount(parameters) > HeavyTask.MaxParametersLength)
        {
            errors.Add("parameters", $"At most {Show.Bytes(HeavyTask.MaxParametersLength)} of JSON.");
            return null;
        }

        using var body = new MemoryStream(Encoding.UTF8.GetBytes(parameters));
        var written = await RequestJson.ReadAsync(body, HeavyTask.MaxParametersLength, errors, CancellationToken.None);
        var kind = await kinds.FindAsync(kindName, CancellationToken.None);
        if (kind is null)
        {
            errors.Add("kind", "There is no such kind any more.");
        }

        var json = written is { } read ? kind?.Read(read, "kind", "parameters", errors) : null;
        if (errors.Any || json is null)
        {
            return null;
        }

        var user = await viewer.GetUserAsync();
        if (await waiting.WhyNotAsync(user, CancellationToken.None) is { } reason)
        {
            errors.Add("kind", reason);
            return null;
        }

        var task = HeavyTask.Submit(
            kind!.Name,
            json,
            submitOptions.Value.DefaultMaxFailures,
            now,
            dueAt,
            tenantId: await viewer.GetTenantAsync(),
            submittedBy: user.ClientId(),
            tags: tags
        );
        await commit.SaveAsync(task);
        return task.Id;
    }
}

/// <summary>A file is refused; the message says why, for people.</summary>
internal sealed class UploadRefusedException(string reason) : Exception(reason);

/// <summary>Tells how much of a stream was read, and asks every few seconds whether it may be read on.</summary>
internal sealed class CountedStream(Stream inner, Action<long> progress, Func<Task> check, TimeProvider time) : Stream
{
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(3);

    private long read;
    private long checkedAt = time.GetTimestamp();

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => inner.Length;

    public override long Position
    {
        get => read;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (time.GetElapsedTime(checkedAt) > CheckInterval)
        {
            await check();
            checkedAt = time.GetTimestamp();
        }

        var count = await inner.ReadAsync(buffer, cancellationToken);
        read += count;
        progress(read);
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await base.DisposeAsync();
    }
}
