using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Serialization;
using MassTransit;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Platform.Contracts;
using Platform.HeavyTasks.Http;
using Platform.Outbox;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>Tests the endpoints of heavy tasks and files in an existing application that has its own context and its own JSON.</summary>
public sealed class HttpEndpointTests : IAsyncLifetime
{
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        await database.CreateTablesAsync<ShopDbContext>();
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Theory]
    [InlineData("", "/heavy-tasks")]
    [InlineData("/api", "/api/heavy-tasks")]
    [InlineData("/shops/{shop}/v1", "/shops/corner%20shop/v1/heavy-tasks")]
    public async Task Task_is_submitted_read_listed_cancelled_and_retried_by_the_links_that_answers_have(string prefix, string path)
    {
        await using var app = await StartAsync(app => app.MapGroup(prefix).MapHeavyTasks());
        using var client = Client(app);
        var later = TimeProvider.System.GetUtcNow().AddHours(1);

        using var submitted = await client.PostAsJsonAsync(
            path,
            new
            {
                kind = "shop.ship",
                parameters = new { orderId = 7 },
                dueAt = later,
            }
        );

        var id = (await JsonAsync(submitted, HttpStatusCode.Accepted)).GetProperty("id").GetGuid();
        submitted.Headers.Location!.ToString().ShouldBe($"{path}/{id}");
        var links = (await JsonAsync(submitted, HttpStatusCode.Accepted)).GetProperty("links");
        links.GetProperty("self").GetString().ShouldBe($"{path}/{id}");
        links.GetProperty("result").GetString().ShouldBe($"{path}/{id}/result");

        var read = await GetAsync(client, links.GetProperty("self").GetString()!);
        read.GetProperty("status").GetString().ShouldBe("Scheduled");
        read.GetProperty("links").GetProperty("self").GetString().ShouldBe($"{path}/{id}");
        var listed = (await GetAsync(client, path)).GetProperty("items")[0];
        listed.GetProperty("links").GetProperty("self").GetString().ShouldBe($"{path}/{id}");

        using var cancelled = await client.PostAsync(read.GetProperty("links").GetProperty("cancel").GetString(), null);
        var retry = (await JsonAsync(cancelled, HttpStatusCode.OK)).GetProperty("links").GetProperty("retry").GetString();
        retry.ShouldBe($"{path}/{id}/retry");
        using var retried = await client.PostAsync(retry, null);
        (await JsonAsync(retried, HttpStatusCode.Accepted)).GetProperty("status").GetString().ShouldBe("Queued");
        retried.Headers.Location!.ToString().ShouldBe($"{path}/{id}");
    }

    [Fact]
    public async Task Without_policies_of_the_application_a_key_is_needed_and_AllowAnonymous_needs_none()
    {
        await using var app = await StartAsync(
            app =>
            {
                app.MapHeavyTasks();
                app.MapServices().AllowAnonymous();
            },
            isOpen: false
        );
        using var client = Client(app);

        using var refused = await client.GetAsync("/heavy-tasks");
        refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        await GetAsync(client, "/services");
    }

    [Fact]
    public async Task The_only_scheme_of_an_application_stays_its_default()
    {
        await using var app = await StartAsync(
            app => app.MapHeavyTasks(),
            services => services.AddAuthentication().AddPolicyScheme("own", displayName: null, _ => { })
        );

        var schemes = app.Services.GetRequiredService<IAuthenticationSchemeProvider>();
        (await schemes.GetDefaultAuthenticateSchemeAsync()).ShouldNotBeNull().Name.ShouldBe("own");
    }

    [Fact]
    public async Task A_tenant_that_is_none_is_refused_and_not_taken_for_no_tenant()
    {
        await using var app = await StartAsync(app =>
        {
            app.Use(
                (http, next) =>
                {
                    http.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(HeavyTaskPolicies.TenantClaim, "")], "own"));
                    return next(http);
                }
            );
            app.MapHeavyTasks();
        });
        using var client = Client(app);

        using var refused = await client.GetAsync("/heavy-tasks");

        refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Links_have_the_base_path_of_the_application()
    {
        await using var app = await StartAsync(app => app.MapHeavyTasks(), basePath: "/shop");
        using var client = Client(app);

        using var submitted = await client.PostAsJsonAsync(
            "/shop/heavy-tasks",
            new { kind = "shop.ship", parameters = new { orderId = 7 } }
        );

        var self = (await JsonAsync(submitted, HttpStatusCode.Accepted)).GetProperty("links").GetProperty("self").GetString();
        self.ShouldStartWith("/shop/heavy-tasks/");
        (await GetAsync(client, self)).GetProperty("kind").GetString().ShouldBe("shop.ship");
    }

    [Fact]
    public async Task File_is_uploaded_and_found_where_its_answer_says()
    {
        await using var app = await StartAsync(app => app.MapGroup("/api").MapFiles());
        using var client = Client(app);

        using var content = new ByteArrayContent([1, 2, 3]);
        content.Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        using var uploaded = await client.PostAsync("/api/files?name=orders.csv", content);

        var file = await JsonAsync(uploaded, HttpStatusCode.Created);
        uploaded.Headers.Location!.ToString().ShouldBe($"/api/files/{file.GetProperty("id").GetGuid()}");
        (await GetAsync(client, uploaded.Headers.Location.ToString())).GetProperty("contentType").GetString().ShouldBe("text/csv");
    }

    [Fact]
    public async Task Answers_are_the_same_whatever_JSON_the_application_writes_and_its_own_stay_its_own()
    {
        await using var app = await StartAsync(app =>
        {
            app.MapHeavyTasks();
            app.MapGet("/receipt", () => new Receipt(42, "1 2", null));
            app.MapPost("/receipt", (Receipt receipt) => receipt.OrderNumber);
        });
        using var client = Client(app);
        using var submitted = await client.PostAsJsonAsync("/heavy-tasks", new { kind = "shop.ship", parameters = new { orderId = 7 } });

        var task = await GetAsync(client, submitted.Headers.Location!.ToString());

        task.GetProperty("status").ValueKind.ShouldBe(JsonValueKind.String);
        task.GetProperty("cancelRequested").GetBoolean().ShouldBeFalse();
        task.GetProperty("error").ValueKind.ShouldBe(JsonValueKind.Null);
        (await GetAsync(client, "/receipt")).GetRawText().ShouldBe("""{"order_number":42,"paid_with":"1 2"}""");
        using var posted = await client.PostAsync("/receipt", JsonContent.Create(new { order_number = "43", paid_with = "" }));
        (await JsonAsync(posted, HttpStatusCode.OK)).GetInt32().ShouldBe(43);
    }

    [Fact]
    public async Task OpenAPI_document_of_the_application_says_what_the_endpoints_do_and_answer()
    {
        await using var app = await StartAsync(
            app =>
            {
                app.MapGroup("/api").MapHeavyTasks();
                app.MapGet("/receipt", () => new Receipt(42, "", null));
                app.MapOpenApi();
            },
            services => services.AddOpenApi("shop")
        );
        using var client = Client(app);

        var document = await GetAsync(client, "/openapi/shop.json");

        var read = document.GetProperty("paths").GetProperty("/api/heavy-tasks/{id}").GetProperty("get");
        read.GetProperty("summary").GetString().ShouldNotBeNullOrEmpty();
        read.GetProperty("responses").TryGetProperty("200", out _).ShouldBeTrue();
        var schemas = document.GetProperty("components").GetProperty("schemas");
        var cancelRequested = schemas.GetProperty("HeavyTaskResponse").GetProperty("properties").GetProperty("cancelRequested");
        cancelRequested.GetProperty("description").GetString().ShouldNotBeNullOrEmpty();
        schemas.GetProperty("Receipt").GetProperty("properties").TryGetProperty("order_number", out _).ShouldBeTrue();
    }

    [Fact]
    public async Task What_the_application_asks_of_the_endpoints_holds_for_each_of_them()
    {
        await using var app = await StartAsync(app =>
        {
            foreach (var endpoints in new IEndpointConventionBuilder[] { app.MapHeavyTasks(), app.MapFiles(), app.MapServices() })
            {
                endpoints.AddEndpointFilter(
                    (_, _) => ValueTask.FromResult<object?>(Results.StatusCode(StatusCodes.Status402PaymentRequired))
                );
            }
        });
        using var client = Client(app);

        foreach (
            var path in new[]
            {
                "/heavy-tasks",
                "/heavy-tasks/kinds",
                $"/heavy-tasks/{Guid.NewGuid()}",
                $"/files/{Guid.NewGuid()}",
                "/services",
            }
        )
        {
            using var answer = await client.GetAsync(path);
            answer.StatusCode.ShouldBe(HttpStatusCode.PaymentRequired, path);
        }
    }

    [Fact]
    public async Task Errors_are_problem_documents_where_the_application_asks_for_them()
    {
        await using var app = await StartAsync(
            app =>
            {
                app.UseHeavyTaskProblems();
                app.MapHeavyTasks();
            },
            services => services.AddHeavyTaskProblems()
        );
        using var client = Client(app);

        using var tooLong = await client.PostAsJsonAsync("/heavy-tasks", new { kind = new string('x', 70_000) });
        using var unknown = await client.PostAsJsonAsync("/heavy-tasks", new { kind = "shop.sink" });

        tooLong.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        tooLong.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        unknown.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await unknown.Content.ReadAsStringAsync()).ShouldContain("Known kinds: shop.ship.");
    }

    [Fact]
    public void Kinds_that_cannot_be_told_apart_or_are_none_are_refused()
    {
        Refused(services => services.AddHeavyTaskEndpoints([typeof(ShipOrder), typeof(ShipOrderAgain)]), "shop.ship has two");
        Refused(services => services.AddHeavyTaskEndpoints([typeof(Order)]), "HeavyTaskKind");
        Refused(services => services.AddHeavyTaskEndpoints(typeof(HeavyTask).Assembly), "Platform.HeavyTasks has no record");
        Refused(services => services.AddHeavyTaskEndpoints().AddHeavyTaskEndpoints(), "called before");

        static void Refused(Action<IServiceCollection> add, string why) =>
            Should.Throw<InvalidOperationException>(() => add(new ServiceCollection())).Message.ShouldContain(why);
    }

    [Fact]
    public async Task What_was_not_added_is_named_when_the_endpoints_are_mapped()
    {
        var builder = WebApplication.CreateSlimBuilder();
        await using (var app = builder.Build())
        {
            Should.Throw<InvalidOperationException>(() => app.MapHeavyTasks()).Message.ShouldContain("AddHeavyTaskEndpoints");
        }

        builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddHeavyTaskEndpoints([typeof(ShipOrder)]);
        await using (var app = builder.Build())
        {
            Should.Throw<InvalidOperationException>(() => app.MapFiles()).Message.ShouldContain("AddHeavyTaskDatabase<TDbContext>");
        }
    }

    private static readonly string[] Policies =
    [
        HeavyTaskPolicies.Submit,
        HeavyTaskPolicies.Read,
        HeavyTaskPolicies.Operate,
        HeavyTaskPolicies.Admin,
        HeavyTaskPolicies.ReadSystem,
    ];

    private static HttpClient Client(WebApplication app) => new() { BaseAddress = new Uri(app.Urls.Single()) };

    private static async Task<JsonElement> GetAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        return await JsonAsync(answer, HttpStatusCode.OK);
    }

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(status, text);
        return JsonElement.Parse(text);
    }

    /// <summary>
    /// Starts an application that registers its own context and has its own JSON: snake_case, and null values left out. If it is open, its
    /// own policies let everybody in.
    /// </summary>
    private async Task<WebApplication> StartAsync(
        Action<WebApplication> map,
        Action<IServiceCollection>? configure = null,
        string basePath = "",
        bool isOpen = true
    )
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddDbContext<ShopDbContext>(options => ShopProvider.Use(options, database.ConnectionString, repeat: false));
        builder.Services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.AddOutbox<ShopDbContext>();
            bus.UsingInMemory((_, inMemory) => inMemory.UseHeavyTaskTopology());
        });
        builder.Services.AddHeavyTaskSubmission<ShopDbContext>();
        builder.Services.AddHeavyTaskEndpoints([typeof(ShipOrder)]);
        foreach (var policy in isOpen ? Policies : [])
        {
            builder.Services.AddAuthorizationBuilder().AddPolicy(policy, everybody => everybody.RequireAssertion(_ => true));
        }

        configure?.Invoke(builder.Services);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        });
        var app = builder.Build();
        app.UsePathBase(basePath);
        app.UseRouting();
        app.UseAuthorization();
        map(app);
        await app.StartAsync();
        return app;
    }

    private sealed record Receipt(int OrderNumber, string PaidWith, string? Note);

    [HeavyTaskKind("shop.ship")]
    private sealed record ShipOrderAgain(int OrderId);
}
