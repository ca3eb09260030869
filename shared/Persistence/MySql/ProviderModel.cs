using Microsoft.EntityFrameworkCore;

namespace Platform.Persistence;

/// <summary>Configures the model for MySQL and MariaDB.</summary>
internal static class ProviderModel
{
    // Four bytes a character, because names with emoji would be refused otherwise, and equality as in C#. This is the only binary collation
    // that both servers know; it ignores trailing spaces (docs/mysql.md says where that shows).
    public static void Configure(ModelBuilder modelBuilder) =>
        modelBuilder.HasCharSet("utf8mb4", DelegationModes.ApplyToAll).UseCollation("utf8mb4_bin", DelegationModes.ApplyToAll);
}
