using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Playwright;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Dashboard.Tests;

/// <summary>
/// The whole system on a database and a virtual host of its own, and a browser. Each service has its user of <c>deploy/roles</c>, so that all
/// that the pages do shows what those may.
/// </summary>
public sealed class DashboardSystem : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly string[] BrowserArguments =
    [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ];

    private readonly List<ServiceProcess> processes = [];
    private TestBroker broker = null!;
    private DatabaseRoles roles = null!;
    private IPlaywright playwright = null!;
    private IBrowser browser = null!;
    private string? session;

    public TestDatabase Database { get; private set; } = null!;

    /// <summary>The address of the dashboard.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>A client of the API with the key of an administrator.</summary>
    public HttpClient Api { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync();
        broker = await TestBroker.CreateAsync();
        roles = await DatabaseRoles.CreateAsync(Database.ConnectionString);
        await roles.GrantAsync(Database.ConnectionString);
        var api = Start("services/Api");
        var dashboard = Start("services/Dashboard");
        await StartWorkerAsync();
        Api = new HttpClient { BaseAddress = await api.WaitForAddressAsync(Patience) }.WithTestKey();
        Address = await dashboard.WaitForAddressAsync(Patience);
        playwright = await Playwright.CreateAsync();

        // The default of 5 s is for machines that do nothing else.
        Assertions.SetDefaultExpectTimeout(30_000);
        browser = await playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions { ExecutablePath = "/usr/bin/chromium", Args = BrowserArguments }
        );
    }

    /// <summary>Starts a worker that runs <c>test.steps</c>.</summary>
    public async Task<ServiceProcess> StartWorkerAsync(string project = "tests/TestWorker")
    {
        var worker = Start(project);
        await worker.WaitForOutputAsync("Application started", Patience);
        return worker;
    }

    /// <summary>A key of the API.</summary>
    public async Task<string> CreateKeyAsync(HeavyTaskRole roles, string tenant = "")
    {
        await using var db = Database.CreateContext();
        return await ApiKeys.CreateAsync(db, "a test", roles, tenant);
    }

    /// <summary>Submits a task; its id.</summary>
    public async Task<Guid> SubmitAsync(string kind, object parameters, int maxFailures = 1, string[]? tags = null)
    {
        using var response = await Api.PostAsJsonAsync(
            "/heavy-tasks",
            new
            {
                kind,
                parameters,
                maxFailures,
                tags = tags ?? [],
            }
        );
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }

    /// <summary>Opens a page in a browser of its own, without a session.</summary>
    public async Task<OpenPage> OpenAsync(BrowserNewContextOptions? options = null)
    {
        options ??= new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = 1280, Height = 800 },
        };
        options.BaseURL = Address.ToString();
        var context = await browser.NewContextAsync(options);
        context.SetDefaultTimeout(45_000);
        return new OpenPage(context, await context.NewPageAsync());
    }

    /// <summary>Opens a page and signs in by the form.</summary>
    public async Task<OpenPage> SignInAsync(string? key = null)
    {
        var open = await OpenAsync();
        await open.Page.GotoAsync("/");
        await open.Page.GetByLabel("API key").FillAsync(key ?? TestKey.Value);
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await open.WaitForLiveAsync();
        return open;
    }

    /// <summary>Opens a page with the session of an administrator.</summary>
    public async Task<OpenPage> OpenSignedInAsync(string path, BrowserNewContextOptions? options = null)
    {
        if (session is null)
        {
            await using var first = await SignInAsync();
            session = await first.Page.Context.StorageStateAsync();
        }

        options ??= new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = 1280, Height = 800 },
        };
        options.StorageState = session;
        var open = await OpenAsync(options);
        await open.Page.GotoAsync(path);
        await open.WaitForLiveAsync();
        return open;
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
        {
            await browser.CloseAsync();
        }

        playwright?.Dispose();
        Api?.Dispose();
        foreach (var process in processes)
        {
            await process.DisposeAsync();
        }

        await broker.DisposeAsync();
        await Database.DisposeAsync();
        await roles.DisposeAsync();
    }

    /// <summary>Starts a service of this system.</summary>
    public ServiceProcess Start(string project, params IEnumerable<(string Key, string Value)> settings)
    {
        var environment = new Dictionary<string, string?>
        {
            ["ConnectionStrings__Platform"] = project switch
            {
                "services/Api" => roles.Api,
                "services/Dashboard" => roles.Dashboard,
                _ => roles.Worker,
            },
            ["RabbitMq__Uri"] = broker.Uri.ToString(),
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["Database__AcquireTimeout"] = "00:00:30",
            ["Dashboard__RefreshInterval"] = "00:00:00.500",
        };
        foreach (var (key, value) in settings)
        {
            environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        var process = ServiceProcess.Start(project, environment);
        processes.Add(process);
        return process;
    }
}

/// <summary>A page, and what went wrong in it.</summary>
public sealed class OpenPage : IAsyncDisposable
{
    private readonly IBrowserContext context;

    public OpenPage(IBrowserContext context, IPage page)
    {
        this.context = context;
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                Faults.Add(message.Text);
            }
        };
        page.PageError += (_, error) => Faults.Add(error);
        page.Request += (_, request) => Requests.Add(new Uri(request.Url));
    }

    public IPage Page { get; }

    /// <summary>Errors and warnings of the console, among them what the content security policy refused.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>What the page loaded.</summary>
    public List<Uri> Requests { get; } = [];

    /// <summary>Waits until the page answers clicks.</summary>
    public Task WaitForLiveAsync() => Page.Locator("main[data-live]").WaitForAsync();

    public async ValueTask DisposeAsync() => await context.CloseAsync();
}

[CollectionDefinition(Name)]
public sealed class DashboardCollection : ICollectionFixture<DashboardSystem>
{
    public const string Name = "dashboard";
}
