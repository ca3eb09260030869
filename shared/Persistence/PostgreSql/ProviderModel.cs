using Microsoft.EntityFrameworkCore;

namespace Platform.Persistence;

/// <summary>What the model needs to know about PostgreSQL: nothing.</summary>
internal static class ProviderModel
{
    public static void Configure(ModelBuilder modelBuilder) { }
}
