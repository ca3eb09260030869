using Platform.Api.Access;
using Platform.Api.OpenApi;
using Platform.Api.Users;
using Platform.HeavyTasks.Http;
using Platform.Persistence;
using Platform.ServiceDefaults;

if (await PlatformHost.CreateBuilderAsync(args, "api", "http://127.0.0.1:5080") is not { } builder)
{
    // A command such as migrate has run.
    return;
}

builder.Services.AddHeavyTaskEndpoints(kinds: typeof(PlatformDbContext).Assembly);
builder.AddIdentityProviderTokens();
builder.Services.AddHeavyTaskProblems();
builder.Services.AddUserEndpoints();
builder.Services.AddOpenApiDocument();

// Also what nobody gave a policy, and what is not there, is only for clients with a key, and not for those of tenants.
builder.Services.AddAuthorizationBuilder().SetFallbackPolicy(HeavyTaskPolicies.KeyWithoutTenant);

var app = builder.Build();
app.UseOpenApiPage();
app.UseSecurityHeaders();
app.UseHeavyTaskProblems();
app.UseAuthorization();
app.MapHeavyTasks();
app.MapFiles();
app.MapUsers();
app.MapServices();
app.MapKeys();
app.MapAudit();
app.MapPlatformHealth();
app.MapOpenApiDocument();
await app.RunAsync();
