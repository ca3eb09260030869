namespace Platform.HeavyTasks;

/// <summary>Whose tasks and files a client reaches.</summary>
internal static class Tenants
{
    /// <summary>No tenant: of a client that reaches everything, or of a task or file that only such clients reach.</summary>
    public const string None = "";

    /// <summary>Whether somebody of <paramref name="tenant"/> reaches what belongs to <paramref name="owner"/>.</summary>
    public static bool MayReach(string tenant, string owner) => tenant == None || tenant.Equals(owner, StringComparison.Ordinal);
}
