// Writes the next migration of the provider that this build is for:
//   dotnet run --project tools/MigrationScaffolder -- <Name>
using System.Diagnostics.CodeAnalysis;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations.Design;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Platform.Persistence;

[assembly: SuppressMessage("Usage", "EF1001", Justification = "Design-time services are the documented way to scaffold in code.")]

if (args is not [var name])
{
    Console.Error.WriteLine("Usage: dotnet run --project tools/MigrationScaffolder -- <Name>");
    return 2;
}

using var db = DatabaseProvider.CreateContext("Host=localhost;Server=localhost;Database=scaffold");
var services = new ServiceCollection().AddEntityFrameworkDesignTimeServices().AddDbContextDesignTimeServices(db);
var providerAssembly = AppDomain.CurrentDomain.Load(db.GetService<IDatabaseProvider>().Name);
var providerServices = providerAssembly.GetCustomAttributes(typeof(DesignTimeProviderServicesAttribute), inherit: false)
    .Cast<DesignTimeProviderServicesAttribute>().Single();
var configure = (IDesignTimeServices)Activator.CreateInstance(providerAssembly.GetType(providerServices.TypeName, throwOnError: true)!)!;
configure.ConfigureDesignTimeServices(services);
await using var provider = services.BuildServiceProvider();

var folder = FindPersistence();
var scaffolder = provider.GetRequiredService<IMigrationsScaffolder>();
var migration = scaffolder.ScaffoldMigration(name, "Platform.Persistence", $"{DatabaseProvider.Name}.Migrations");

// It looks for the last snapshot below the folder that it is told, and each provider has one.
var providerFolder = Path.Combine(folder, DatabaseProvider.Name);
var files = scaffolder.Save(providerFolder, migration, Path.Combine(providerFolder, "Migrations"), dryRun: false);
Console.WriteLine(files.MigrationFile);
return 0;

static string FindPersistence()
{
    for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
    {
        var candidate = Path.Combine(directory.FullName, "shared", "Persistence");
        if (Directory.Exists(candidate))
        {
            return candidate;
        }
    }

    throw new DirectoryNotFoundException("shared/Persistence was not found above the scaffolder.");
}
