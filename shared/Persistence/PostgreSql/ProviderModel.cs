using Microsoft.EntityFrameworkCore;

namespace Platform.Persistence;

/// <summary>Configures the model for PostgreSQL, which needs nothing.</summary>
internal static class ProviderModel
{
    public static void Configure(ModelBuilder modelBuilder) { }
}
