using Platform.Dashboard;
using Platform.HeavyTasks.Dashboard;
using Platform.HeavyTasks.Http;
using Platform.Persistence;
using Platform.ServiceDefaults;

if (await PlatformHost.CreateBuilderAsync(args, "dashboard", "http://127.0.0.1:5082") is not { } builder)
{
    // A command such as health has run.
    return;
}

// The files of the pages, where the service was built and not published.
builder.WebHost.UseStaticWebAssets();
builder.Services.AddHeavyTaskEndpoints(kinds: typeof(PlatformDbContext).Assembly);
builder.Services.AddHeavyTaskDashboard();
builder.Services.AddHeavyTaskDashboardSignIn();
builder.AddSessionKeys();
builder.AddSingleSignOn();

var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();
app.MapPlatformHealth();
app.MapHeavyTaskDashboard("/").RequireAuthorization(DashboardEndpoints.SignedIn);
await app.RunAsync();
