using Microsoft.EntityFrameworkCore;

namespace Platform.Persistence;

/// <summary>What the model needs to know about MySQL and MariaDB.</summary>
internal static class ProviderModel
{
    // Four bytes a character, or names with emoji are refused; and equality as C# has it. The one binary collation that both servers
    // know: it ignores trailing spaces (docs/mysql.md says where that shows).
    public static void Configure(ModelBuilder modelBuilder) =>
        modelBuilder.HasCharSet("utf8mb4", DelegationModes.ApplyToAll).UseCollation("utf8mb4_bin", DelegationModes.ApplyToAll);
}
