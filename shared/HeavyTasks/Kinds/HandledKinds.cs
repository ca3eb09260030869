using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Platform.Contracts;

namespace Platform.HeavyTasks;

/// <summary>The kinds that this worker runs.</summary>
internal sealed class HandledKinds
{
    private readonly Dictionary<string, HandledKind> byName;

    /// <summary>For dependency injection.</summary>
    /// <exception cref="InvalidOperationException">Two handlers claim the same kind.</exception>
    public HandledKinds(IEnumerable<HandledKind> kinds)
    {
        byName = new Dictionary<string, HandledKind>(StringComparer.Ordinal);
        foreach (var kind in kinds)
        {
            if (!byName.TryAdd(kind.Name, kind))
            {
                throw new InvalidOperationException(
                    $"Kind {kind.Name} has two handlers: {byName[kind.Name].HandlerType.Name} and {kind.HandlerType.Name}."
                );
            }
        }
    }

    /// <summary>Whether the bus receives from their queues (<see cref="HeavyTaskQueues.AddHeavyTaskQueues"/>).</summary>
    public bool AreReceived { get; set; }

    /// <summary>All kinds.</summary>
    public IReadOnlyCollection<HandledKind> All => byName.Values;

    /// <summary>The kind with this name, or null.</summary>
    public HandledKind? Find(string name) => byName.GetValueOrDefault(name);
}

/// <summary>A kind that this worker runs: its name and how to run one attempt of it.</summary>
internal abstract class HandledKind(HeavyTaskKindAttribute kind, Type handlerType, Type parametersType)
{
    /// <summary>The name in the <see cref="HeavyTaskKindAttribute"/> of the parameter record.</summary>
    public string Name { get; } = kind.Name;

    /// <summary>The description in the attribute.</summary>
    public string Description { get; } = kind.Description;

    /// <summary>The parameter record.</summary>
    public Type ParametersType { get; } = parametersType;

    /// <summary>The handler class.</summary>
    public Type HandlerType { get; } = handlerType;

    internal abstract Task RunAsync(IServiceProvider scope, AttemptContext attempt);

    /// <summary>The kind of a handler class; null when the type is not a handler.</summary>
    /// <exception cref="InvalidOperationException">The handler's parameter record has no <see cref="HeavyTaskKindAttribute"/>.</exception>
    public static HandledKind? Of(Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        if (type.IsAbstract || FindParametersType(type) is not { } parametersType)
        {
            return null;
        }

        var attribute =
            parametersType.GetCustomAttribute<HeavyTaskKindAttribute>()
            ?? throw new InvalidOperationException(
                $"{parametersType.Name}, the parameter record of {type.Name}, has no HeavyTaskKind attribute."
            );
        return (HandledKind)Activator.CreateInstance(typeof(HandledKind<,>).MakeGenericType(type, parametersType), attribute)!;
    }

    private static Type? FindParametersType(Type type)
    {
        for (var current = type.BaseType; current is not null; current = current.BaseType)
        {
            if (current.IsGenericType && current.GetGenericTypeDefinition() == typeof(HeavyTaskHandler<>))
            {
                return current.GetGenericArguments()[0];
            }
        }

        return null;
    }
}

internal sealed class HandledKind<THandler, TParameters>(HeavyTaskKindAttribute kind)
    : HandledKind(kind, typeof(THandler), typeof(TParameters))
    where THandler : HeavyTaskHandler<TParameters>
    where TParameters : class
{
    internal override async Task RunAsync(IServiceProvider scope, AttemptContext attempt)
    {
        TParameters parameters;
        try
        {
            parameters =
                JsonSerializer.Deserialize<TParameters>(attempt.Task.Parameters, HeavyTaskJson.Options)
                ?? throw new JsonException("The parameters are null.");
        }
        catch (JsonException exception)
        {
            throw new NonRetryableException($"The parameters cannot be read by this version of the worker: {exception.Message}", exception);
        }

        var handler = scope.GetRequiredService<THandler>();
        await handler.RunAsync(new AttemptContext<TParameters>(attempt, parameters));
    }
}
