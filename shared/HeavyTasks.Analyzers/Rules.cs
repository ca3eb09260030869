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
        "The container disposes scoped objects when the request ends. Work that still uses them fails, or takes a connection that nobody returns."
    );

    public static readonly DiagnosticDescriptor HoldsConnection = New(
        "PLT002",
        "Connections",
        "A connection is held while the method waits for something else",
        "{0} is awaited while '{1}' holds a connection of the pool: wait before or after it",
        "A transaction or an open reader holds its connection. As many such callers as the pool has connections block all others."
    );

    public static readonly DiagnosticDescriptor SavesOutsideCheckpoint = New(
        "PLT003",
        "HeavyTasks",
        "A handler saves outside a checkpoint",
        "{0} outside CheckpointAsync is refused at run time: save in a checkpoint, or leave the changes tracked for the task's completion",
        "Without the fence, a worker that has lost its task could still write."
    );

    public static readonly DiagnosticDescriptor PublishesBeforeCommit = New(
        "PLT004",
        "HeavyTasks",
        "A handler publishes before its commit",
        "{0} of {1} sends at once inside a handler, also when the task then fails: use context.PublishAsync",
        "Inside a consumer, MassTransit's endpoints belong to the message and send at once. Messages published on the context are sent after the next checkpoint or the completion."
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
