using System.Reflection;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Platform.Contracts;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>What an application does to tasks, through <see cref="TaskLifecycle"/>, on the context of its scope.</summary>
internal sealed class ScopedHeavyTasks(EngineContext engine, TaskLifecycle lifecycle, TimeProvider time) : IHeavyTasks
{
    // A task can change between two reads, but hardly this often while one caller waits.
    private const int MaxLooks = 5;

    public async Task<Guid> SubmitAsync<TParameters>(
        TParameters parameters,
        HeavyTaskSubmitOptions? options = null,
        CancellationToken cancellationToken = default
    )
        where TParameters : class
    {
        ArgumentNullException.ThrowIfNull(parameters);
        options ??= new HeavyTaskSubmitOptions();
        var now = time.GetUtcNow().UtcDateTime;
        Check(options, now);
        var json = JsonSerializer.Serialize(parameters, HeavyTaskJson.Options);
        if (Encoding.UTF8.GetByteCount(json) > HeavyTask.MaxParametersLength)
        {
            throw new ArgumentException(
                $"The parameters are longer than {HeavyTask.MaxParametersLength / 1024} KiB as JSON. Put data into a file or a table and name it in the parameters.",
                nameof(parameters)
            );
        }

        var task = HeavyTask.Submit(
            KindOf(typeof(TParameters)),
            json,
            options.MaxFailures,
            now,
            options.DueAt?.UtcDateTime,
            options.IdempotencyKey,
            tenantId: options.TenantId ?? (CurrentWork.Value as RunningAttempt)?.TenantId ?? Tenants.None,
            tags: [.. options.Tags.Distinct(StringComparer.Ordinal)]
        );
        await lifecycle.SubmitAsync(task, cancellationToken);
        return task.Id;
    }

    public Task<CancelOutcome> CancelAsync(Guid taskId, CancellationToken cancellationToken = default) =>
        InTransactionAsync(() => CancelOnceAsync(taskId, cancellationToken), cancellationToken);

    public Task<bool> RetryAsync(Guid taskId, CancellationToken cancellationToken = default) =>
        InTransactionAsync(() => lifecycle.RetryAsync(taskId, cancellationToken), cancellationToken);

    private static string KindOf(Type parameters) =>
        parameters.GetCustomAttribute<HeavyTaskKindAttribute>()?.Name
        ?? throw new ArgumentException($"{parameters.Name} has no HeavyTaskKind attribute, which names its kind.", nameof(parameters));

    private static void Check(HeavyTaskSubmitOptions options, DateTime now)
    {
        if (options.MaxFailures is < 1 or > HeavyTask.MaxMaxFailures)
        {
            throw new ArgumentException($"{nameof(options.MaxFailures)} is from 1 to {HeavyTask.MaxMaxFailures}.", nameof(options));
        }

        if (options.DueAt?.UtcDateTime > now.AddYears(1))
        {
            throw new ArgumentException($"{nameof(options.DueAt)} is at most a year ahead.", nameof(options));
        }

        if (options.TenantId is { Length: > 0 } && !ApiKeys.IsTenant(options.TenantId))
        {
            throw new ArgumentException(
                $"{nameof(options.TenantId)} has 1 to {ApiKeys.MaxTenantLength} letters, digits, '.', '_' and '-'.",
                nameof(options)
            );
        }

        if (options.Tags.Count > HeavyTask.MaxTags || !options.Tags.All(HeavyTaskTag.IsTag))
        {
            throw new ArgumentException(
                $"{nameof(options.Tags)}: at most {HeavyTask.MaxTags}, each of 1 to {HeavyTaskTag.MaxLength} letters, digits and ._:/@#+-.",
                nameof(options)
            );
        }

        if (options.IdempotencyKey is { } key && !HeavyTask.IsIdempotencyKey(key))
        {
            throw new ArgumentException(
                $"{nameof(options.IdempotencyKey)} has 1 to {HeavyTask.MaxIdempotencyKeyLength} visible ASCII characters.",
                nameof(options)
            );
        }
    }

    private async Task<CancelOutcome> CancelOnceAsync(Guid taskId, CancellationToken cancellationToken)
    {
        for (var look = 0; look < MaxLooks; look++)
        {
            if (await lifecycle.CancelWaitingAsync(taskId, cancellationToken))
            {
                return CancelOutcome.Cancelled;
            }

            if (await lifecycle.RequestCancelAsync(taskId, cancellationToken))
            {
                return CancelOutcome.Requested;
            }

            var status = await engine
                .Db.HeavyTasks.Where(t => t.Id == taskId)
                .Select(t => (HeavyTaskStatus?)t.Status)
                .SingleOrDefaultAsync(cancellationToken);
            if (status is null)
            {
                return CancelOutcome.NotFound;
            }

            if (status.Value.IsFinal())
            {
                return CancelOutcome.AlreadyEnded;
            }
        }

        return CancelOutcome.KeptChanging;
    }

    private async Task<T> InTransactionAsync<T>(Func<Task<T>> change, CancellationToken cancellationToken)
    {
        if (engine.Db.Database.CurrentTransaction is not null)
        {
            return await change();
        }

        await using var transaction = await engine.Db.Database.BeginTransactionAsync(cancellationToken);
        var result = await change();
        await transaction.CommitAsync(CancellationToken.None);
        return result;
    }
}
