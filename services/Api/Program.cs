using Platform.Api.Files;
using Platform.Api.HeavyTasks;
using Platform.Api.OpenApi;
using Platform.Api.Problems;
using Platform.Api.Services;
using Platform.Api.Users;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.ServiceDefaults;

// Settings stand beside the assembly, wherever it is started from.
var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
if (args is [DatabaseMigration.Command])
{
    var applied = await DatabaseMigration.MigrateAsync(ConnectionStrings.Of(builder.Configuration));
    Console.WriteLine(applied.Count > 0 ? $"Applied {string.Join(", ", applied)}." : "The database is up to date.");
    return;
}

// Loopback unless told otherwise. Not in appsettings.json, which would win over ASPNETCORE_URLS.
const string DefaultUrl = "http://127.0.0.1:5080";
if (args is [HealthCommand.Name])
{
    Environment.ExitCode = await HealthCommand.RunAsync(builder.Configuration, DefaultUrl);
    return;
}

if (builder.Configuration[WebHostDefaults.ServerUrlsKey] is null)
{
    builder.WebHost.UseUrls(DefaultUrl);
}

builder.Services.AddMigrationCheck();
builder.Services.AddPlatformTelemetry(builder.Configuration, "platform-api");
builder.Services.AddPlatformBus("api");
builder.Services.AddPlatformDatabase("platform-api");
builder.Services.AddHeavyTaskSubmission();
builder.Services.AddFiles();
builder.Services.AddProblems();
builder.Services.AddPlatformHealth();
builder.Services.AddOpenApiDocument();

var app = builder.Build();
app.UseProblems();
app.MapHeavyTasks();
app.MapFiles();
app.MapUsers();
app.MapServices();
app.MapPlatformHealth();
app.MapOpenApiDocument();
await app.RunAsync();
