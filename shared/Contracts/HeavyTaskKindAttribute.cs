namespace Platform.Contracts;

/// <summary>
/// Names the kind of heavy task that a parameter record belongs to. The name is the routing key of
/// <see cref="HeavyTaskRequested"/>, the suffix of the queue (<c>heavy-task.&lt;kind&gt;</c>) and the <c>kind</c> of the API.
/// It is stored with every task: renaming a kind strands the tasks that carry the old name.
/// </summary>
/// <param name="name">Lower-case words joined by dots, for example <c>users.import</c>; at most 100 characters.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class HeavyTaskKindAttribute(string name) : Attribute
{
    /// <summary>The name of the kind.</summary>
    public string Name { get; } = name;

    /// <summary>One sentence that helps people choose a kind; <c>GET /heavy-tasks/kinds</c> shows it.</summary>
    public string Description { get; init; } = "";
}
