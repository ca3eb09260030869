using System.ComponentModel.DataAnnotations;

namespace Platform.ServiceDefaults;

/// <summary>The broker. Section <c>RabbitMq</c>.</summary>
public sealed class RabbitMqOptions
{
    /// <summary>Address with user, password and virtual host, for example <c>amqp://user:password@host:5672/vhost</c>. Required.</summary>
    [Required(ErrorMessage = "RabbitMq:Uri is not set; set it (environment: RabbitMq__Uri) to the broker's address.")]
    public required Uri Uri { get; set; }

    /// <summary>Heartbeat of the connection; two missed ones end it. Default 10 s; range 1 s to 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the broker may take to answer a request, such as the declaration of a queue. Default 20 s; range 1 s to 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a receive endpoint may be without its channel before it is started anew. Default 30 s; range 1 s to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan EndpointTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
