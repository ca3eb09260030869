namespace Platform.Persistence;

/// <summary>Which users somebody reaches.</summary>
public static class UsersOfTenant
{
    /// <summary>Leaves out the users of other tenants; without a tenant, nobody.</summary>
    public static IQueryable<User> Of(this IQueryable<User> users, string tenantId) =>
        tenantId.Length == 0 ? users : users.Where(u => u.TenantId == tenantId);
}
