// The start-up project of dotnet ef, which asks it for the context:
//   dotnet tool restore
//   DatabaseProvider=MySql dotnet ef migrations add <Name> --startup-project tools/Migrations --project shared/Persistence \
//     --output-dir MySql/Migrations
//   DatabaseProvider=PostgreSql ... --output-dir PostgreSql/Migrations
using Microsoft.EntityFrameworkCore.Design;
using Platform.HeavyTasks;
using Platform.Persistence;

Console.Error.WriteLine("This program does nothing: dotnet ef starts it, as docs/migrations.md says.");
return 2;

/// <summary>Creates the context for <c>dotnet ef</c>. Nothing connects to a database.</summary>
internal sealed class PlatformDbContextFactory : IDesignTimeDbContextFactory<PlatformDbContext>
{
    /// <inheritdoc />
    public PlatformDbContext CreateDbContext(string[] args) => PlatformDatabase.CreateContext("Server=localhost;Database=platform");
}
