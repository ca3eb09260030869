using Microsoft.CodeAnalysis;

namespace Platform.HeavyTasks.Analyzers;

/// <summary>What the analyzers report.</summary>
internal static class Rules
{
    public static readonly DiagnosticDescriptor OutlivesRequest = New(
        "PLT001",
        "Lifetime",
        "Work that outlives the request uses what belongs to the request",
        "{0} may run after the request has ended, and uses {1} '{2}', which ends with it: open a scope in the work, or submit a heavy task",
        "The container disposes what is scoped when its request ends. Work that goes on with it fails, or takes a connection that nobody returns."
    );

    public static readonly DiagnosticDescriptor HoldsConnection = New(
        "PLT002",
        "Connections",
        "A connection is held while the method waits for something else",
        "{0} is awaited while '{1}' holds a connection of the pool: wait before or after it",
        "A transaction or an open reader keeps its connection. As many callers as the pool has connections are enough to stop everybody else."
    );

    public static readonly DiagnosticDescriptor SavesOutsideCheckpoint = New(
        "PLT003",
        "HeavyTasks",
        "A handler saves outside a checkpoint",
        "{0} outside CheckpointAsync is refused at run time: save in a checkpoint, or leave the changes tracked for the task's completion",
        "A write that the fence does not protect could be done by a worker that has lost its task."
    );

    public static readonly DiagnosticDescriptor PublishesBeforeCommit = New(
        "PLT004",
        "HeavyTasks",
        "A handler publishes before its commit",
        "{0} of {1} sends at once inside a handler, also when the task then fails: use context.PublishAsync",
        "Inside a consumer MassTransit's endpoints are those of the message. The context's own leave with the next checkpoint or the completion."
    );

    private static DiagnosticDescriptor New(string id, string category, string title, string message, string description) =>
        new(
            id,
            title,
            message,
            category,
            DiagnosticSeverity.Warning,
            isEnabledByDefault: true,
            description,
            helpLinkUri: $"docs/analyzers/{id}.md"
        );
}
