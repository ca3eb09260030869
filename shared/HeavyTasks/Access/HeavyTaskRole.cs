namespace Platform.HeavyTasks;

/// <summary>What a client of the HTTP endpoints may do. A client has one role or several.</summary>
[Flags]
public enum HeavyTaskRole
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Upload files, and submit tasks.</summary>
    Submit = 1,

    /// <summary>Read tasks, their results and files.</summary>
    Read = 2,

    /// <summary>Cancel and retry tasks; includes <see cref="Read"/>.</summary>
    Operate = 4,

    /// <summary>Create and revoke keys; includes all other roles.</summary>
    Admin = 8,
}

/// <summary>The names of roles as they are stored and shown: <c>submit</c>, <c>read</c>, <c>operate</c>, <c>admin</c>.</summary>
internal static class HeavyTaskRoles
{
    private static readonly (string Name, HeavyTaskRole Role)[] Names =
    [
        ("submit", HeavyTaskRole.Submit),
        ("read", HeavyTaskRole.Read),
        ("operate", HeavyTaskRole.Operate),
        ("admin", HeavyTaskRole.Admin),
    ];

    /// <summary>All names.</summary>
    public static IEnumerable<string> All => Names.Select(one => one.Name);

    /// <summary>The names of these roles.</summary>
    public static IEnumerable<string> NamesOf(HeavyTaskRole roles) => Names.Where(one => roles.HasFlag(one.Role)).Select(one => one.Name);

    /// <summary>The role of this name; null when there is none.</summary>
    public static HeavyTaskRole? Find(string name) =>
        Names.Where(one => one.Name.Equals(name, StringComparison.Ordinal)).Select(one => (HeavyTaskRole?)one.Role).SingleOrDefault();

    /// <summary>The roles of a stored text. A role that only a later version knows is left out.</summary>
    public static HeavyTaskRole Parse(string stored) =>
        stored.Split(',').Aggregate(HeavyTaskRole.None, (roles, name) => roles | (Find(name) ?? HeavyTaskRole.None));

    /// <summary>The text to store.</summary>
    public static string Write(HeavyTaskRole roles) => string.Join(',', NamesOf(roles));

    /// <summary>The roles with those that they include.</summary>
    public static HeavyTaskRole WithIncluded(this HeavyTaskRole roles) =>
        roles.HasFlag(HeavyTaskRole.Admin) ? HeavyTaskRole.Submit | HeavyTaskRole.Read | HeavyTaskRole.Operate | HeavyTaskRole.Admin
        : roles.HasFlag(HeavyTaskRole.Operate) ? roles | HeavyTaskRole.Read
        : roles;
}
