using Platform.Cli.Api;

namespace Platform.Cli.Diagnosis;

/// <summary>Names the holder of a connection, for people.</summary>
internal static class HolderText
{
    /// <summary>The name, such as <c>users.import 0198f3a2-..., attempt 2</c> or <c>GET /users/{id} (answered)</c>.</summary>
    public static string Name(ConnectionHolder holder) =>
        holder switch
        {
            { TaskId: { } task } => $"{holder.Kind} {task}, attempt {holder.Attempt}{(holder.HasEnded ? " (ended)" : "")}",
            { Route: { } route } => $"{route}{(holder.HasEnded ? " (answered)" : "")}",
            { Name: { } name } => name,
            _ => "work without a name",
        };
}
