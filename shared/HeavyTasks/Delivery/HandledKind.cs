using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Platform.Contracts;

namespace Platform.HeavyTasks;

/// <summary>A kind that this worker runs: its name and how to run one attempt of it.</summary>
internal abstract class HandledKind(string name, Type handlerType)
{
    /// <summary>The name in <see cref="HeavyTaskKindAttribute"/> of the parameter record.</summary>
    public string Name { get; } = name;

    /// <summary>The handler class.</summary>
    public Type HandlerType { get; } = handlerType;

    internal abstract Task RunAsync(IServiceProvider scope, AttemptState attempt);

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
                $"{parametersType.Name}, the parameter record of {type.Name}, has no HandledKind attribute."
            );
        return (HandledKind)Activator.CreateInstance(typeof(HandledKind<,>).MakeGenericType(type, parametersType), attribute.Name)!;
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

internal sealed class HandledKind<THandler, TParameters>(string name) : HandledKind(name, typeof(THandler))
    where THandler : HeavyTaskHandler<TParameters>
    where TParameters : class
{
    internal override async Task RunAsync(IServiceProvider scope, AttemptState attempt)
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
