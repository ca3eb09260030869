using System.Data.Common;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.ServiceDefaults;

/// <summary>
/// Creates a key for a client of the API: <c>create-key NAME ROLE[,ROLE...] [TENANT]</c>. It prints the key, and nothing else, on standard
/// output. Whoever may run it has the database's password, so it asks for no key: the first one comes from here.
/// </summary>
internal static class CreateKeyCommand
{
    /// <summary>The argument that names the command.</summary>
    public const string Name = "create-key";

    /// <summary>Runs the command.</summary>
    /// <returns>The exit code: 0; 1 when the database refused; 2 when the arguments are wrong.</returns>
    public static async Task<int> RunAsync(string[] args, string connectionString)
    {
        if (args is not [_, var name, var roleNames, ..] || args.Length > 4)
        {
            return await RefuseAsync($"Usage: {Name} NAME ROLE[,ROLE...] [TENANT]");
        }

        var roles = HeavyTaskRole.None;
        foreach (var roleName in roleNames.Split(',', StringSplitOptions.TrimEntries))
        {
            if (HeavyTaskRoles.Find(roleName) is not { } role)
            {
                return await RefuseAsync($"There is no role '{roleName}'. Roles: {string.Join(", ", HeavyTaskRoles.All)}.");
            }

            roles |= role;
        }

        if (args is [_, _, _, ""])
        {
            return await RefuseAsync("The tenant is empty. A key without a tenant, which reaches everything, has no fourth argument.");
        }

        try
        {
            await using var db = PlatformDatabase.CreateContext(connectionString);
            Console.WriteLine(await ApiKeys.CreateAsync(db, name, roles, args.ElementAtOrDefault(3) ?? ""));
            return 0;
        }
        catch (Exception exception) when (Causes.Of(exception).OfType<DbException>().FirstOrDefault() is { } cause)
        {
            // The database is away, shows a certificate that is not its own, or nobody has migrated it. Entity Framework wraps what it takes for
            // transient in an error that says nothing of that.
            var reason = string.Join(" ", Causes.Of(cause).Select(c => c.Message).Distinct());
            await Console.Error.WriteLineAsync($"The key could not be saved: {reason}");
            return 1;
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            return await RefuseAsync(exception.Message);
        }
    }

    private static async Task<int> RefuseAsync(string reason)
    {
        await Console.Error.WriteLineAsync(reason);
        return 2;
    }
}
