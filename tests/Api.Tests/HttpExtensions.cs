using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Platform.Api.Tests;

internal static class HttpExtensions
{
    public static Task<HttpResponseMessage> SubmitAsync(this HttpClient client, string body, string? idempotencyKey = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/heavy-tasks")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        if (idempotencyKey is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey).ShouldBeTrue();
        }

        return client.SendAsync(request);
    }

    /// <summary>Submits a task that must be accepted; returns its id.</summary>
    public static async Task<Guid> SubmitTaskAsync(this HttpClient client, string body = """{"kind":"users.statistics"}""")
    {
        using var response = await client.SubmitAsync(body);
        return (await response.ShouldBeJsonAsync(HttpStatusCode.Accepted)).GetProperty("id").GetGuid();
    }

    public static async Task<JsonElement> GetJsonAsync(this HttpClient client, string address)
    {
        using var response = await client.GetAsync(address);
        return await response.ShouldBeJsonAsync(HttpStatusCode.OK);
    }

    public static async Task<JsonElement> ShouldBeJsonAsync(this HttpResponseMessage response, HttpStatusCode status)
    {
        var text = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(status, text);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        return JsonElement.Parse(text);
    }

    /// <summary>
    /// Asserts that the answer is a problem document with this status and, if a field is named, with this field among its <c>errors</c>.
    /// </summary>
    public static async Task<JsonElement> ShouldBeProblemAsync(
        this HttpResponseMessage response,
        HttpStatusCode status,
        string? field = null
    )
    {
        var text = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(status, text);
        response.Content.Headers.ContentType.ShouldBe(new MediaTypeHeaderValue("application/problem+json"));
        var problem = JsonElement.Parse(text);
        problem.GetProperty("status").GetInt32().ShouldBe((int)status);
        problem.GetProperty("title").GetString().ShouldNotBeNullOrEmpty();
        if (field is not null)
        {
            problem.GetProperty("errors").EnumerateObject().Select(e => e.Name).ShouldContain(field, text);
        }

        return problem;
    }
}
