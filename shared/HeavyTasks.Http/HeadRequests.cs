namespace Platform.HeavyTasks.Http;

/// <summary>Answers HEAD where GET is answered (RFC 9110, 9.1).</summary>
public static class HeadRequests
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>
    /// Makes an endpoint that answers GET also answer HEAD, with the same headers; the server leaves the body out. The OpenAPI document shows
    /// only GET.
    /// </summary>
    public static TBuilder AlsoHead<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(built =>
        {
            foreach (var other in built.Metadata.OfType<IHttpMethodMetadata>().ToList())
            {
                built.Metadata.Remove(other);
            }

            built.Metadata.Add(new GetAndHead());
        });
        return endpoint;
    }

    /// <summary>The methods of such an endpoint; marks it.</summary>
    internal sealed class GetAndHead : IHttpMethodMetadata
    {
        public bool AcceptCorsPreflight => false;

        public IReadOnlyList<string> HttpMethods => Methods;
    }
}
